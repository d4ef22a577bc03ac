// Package swaggerui serves the pages at /docs/: Swagger UI over the server's
// own OpenAPI description, without a request to any other host. Under the
// sandbox a page can have its requests signed by the server; the key stays
// there.
//
// The files under dist are those of the npm package swagger-ui-dist 5.35.0,
// compressed by gzip -9 -n where they are large. They are under the Apache
// License 2.0; see dist/LICENSE and dist/NOTICE.
package swaggerui
