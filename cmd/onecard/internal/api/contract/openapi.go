package contract

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"pbochsm/cmd/onecard/internal/recharge"
)

// A Description says what the served OpenAPI description depends on.
type Description struct {
	Domains []string // the codes of OrigionDomain
	Rules   Rules
	Profile Profile
}

// OpenAPI writes the contract as OpenAPI 3.0, in the order and the spellings of
// the document.
func (d *Description) OpenAPI() ([]byte, error) {
	root := mapping(
		"openapi", "3.0.3",
		"info", mapping("title", "LINKAGE ONECARD API", "version", "1.0.1", "description", about),
		"servers", list(mapping("url", "/")),
		"tags", d.tags(),
		"paths", d.paths(),
		"components", mapping("schemas", d.schemas(), "responses", mapping("Refusal", d.refusal())),
	)
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("contract: OpenAPI: %w", err)
	}
	return text.Bytes(), enc.Close()
}

const about = `联创市民卡服务中心 市民卡充值接口。请求与应答均为 JSON 对象，所有字段均为字符串，金额单位为分。

**Token** 算法：32位MD5。报文体中除 Token 外所有有值的字段参与签名：字段名转大写后按 A-Z 排序，值转大写，
拼接为 ` + "`K1=V1&K2=V2&…&CHANNELKEY=密钥`" + `；密钥保持原样。

Every request is one flat JSON object of strings, every amount is in fen. Token is the hexadecimal MD5 of all fields
with a value but Token itself, names in upper case and sorted, values in upper case, then the key as it is.
Names are matched without regard to letter case; answers are spelled as here.
`

// tags group the endpoints by the first part of their paths.
func (d *Description) tags() *yaml.Node {
	var seen []string
	tags := list()
	for i := range endpoints {
		if tag := tagOf(&endpoints[i]); !slices.Contains(seen, tag) {
			seen = append(seen, tag)
			tags.Content = append(tags.Content, mapping("name", tag))
		}
	}
	return tags
}

func tagOf(e *Endpoint) string {
	tag, _, _ := strings.Cut(strings.TrimPrefix(e.Path, "/"), "/")
	return tag
}

func (d *Description) paths() *yaml.Node {
	paths := mapping()
	for i := range endpoints {
		e := &endpoints[i]
		add(paths, e.Path, mapping("post", mapping(
			"tags", list(tagOf(e)),
			"operationId", e.Operation,
			"summary", e.Chinese,
			"description", e.English,
			"requestBody", mapping("required", true, "description", "请求报文", "content", d.json(d.request(e), d.sample(e))),
			"responses", mapping(
				"200", mapping("description", "返回结果", "content", d.json(d.answer(e), nil)),
				"default", ref("responses", "Refusal"),
			),
		)))
	}
	return paths
}

// json is a body of that schema, with a whole example if there is one.
func (d *Description) json(schema, example *yaml.Node) *yaml.Node {
	media := mapping("schema", schema)
	if example != nil {
		add(media, "example", example)
	}
	return mapping("application/json", media)
}

func (d *Description) request(e *Endpoint) *yaml.Node {
	required := list()
	for _, name := range e.Names() {
		if name.Present {
			required.Content = append(required.Content, node(name.Spelling))
		}
	}
	return mapping("type", "object", "additionalProperties", false, "required", required, "properties", properties(e.Request))
}

// sample is a request that the page offers to send.
func (d *Description) sample(e *Endpoint) *yaml.Node {
	sample := mapping()
	for _, name := range e.Request {
		f, _ := Lookup(name)
		if name == "OrigionDomain" && len(d.Domains) > 0 {
			f.Example = d.Domains[0]
		}
		add(sample, name, f.Example)
	}
	return sample
}

func (d *Description) answer(e *Endpoint) *yaml.Node {
	all := properties([]string{"ErrorCode", "ErrorMsg"})
	for _, name := range e.Answer {
		add(all, name, d.answered(e, name))
	}
	return mapping("type", "object", "additionalProperties", false,
		"required", list("ErrorCode", "ErrorMsg"), "properties", all)
}

// answered is a field of an answer. It differs from that of a request where an
// answer can say that there is none: no amount, or an order without a serial.
func (d *Description) answered(e *Endpoint, name string) *yaml.Node {
	f, _ := Lookup(name)
	switch {
	case f.Money && !f.Zero:
		f.Zero = true
	case slices.Contains(e.Optional, name):
		f.Shortest = 0
	default:
		return ref("schemas", f.Name)
	}
	return d.schema(&f)
}

func (d *Description) refusal() *yaml.Node {
	return mapping("description", "出错应答 a refusal that HTTP has a status for; the body is the same",
		"content", d.json(d.answer(&Endpoint{}), nil))
}

// properties refers to the field behind each name.
func properties(names []string) *yaml.Node {
	all := mapping()
	for _, name := range names {
		f, _ := Lookup(name)
		add(all, name, ref("schemas", f.Name))
	}
	return all
}

func (d *Description) schemas() *yaml.Node {
	all := mapping()
	for i := range fields {
		add(all, fields[i].Name, d.schema(&fields[i]))
	}
	return all
}

func (d *Description) schema(f *Field) *yaml.Node {
	s := mapping("type", "string", "description", f.Chinese+" "+f.English)
	switch values := d.values(f); {
	case values != nil:
		add(s, "enum", values)
	case f.Name == "ErrorCode":
		add(s, "pattern", fmt.Sprintf("^[0-9]{%d}$", len(d.Profile.Print(recharge.Success))))
	case f.Name == "CardNo" && d.Rules.CardNumber != nil:
		add(s, "pattern", d.Rules.CardNumber.String())
	case f.Money && f.Zero:
		add(s, "pattern", fmt.Sprintf("^(0|[1-9][0-9]{0,%d})$", f.Longest-1))
	case f.Money:
		add(s, "pattern", fmt.Sprintf("^[1-9][0-9]{0,%d}$", f.Longest-1))
	case f.Lengths != nil:
		add(s, "pattern", fmt.Sprintf("^(%s|%s)$", f.Class.set(f.Lengths[0]), f.Class.set(f.Lengths[1])))
	case f.Class < Printable:
		add(s, "pattern", "^"+f.Class.set(f.Shortest, f.Longest)+"$")
	default:
		add(s, "minLength", f.Shortest, "maxLength", f.Longest)
	}
	if f.Nullable {
		add(s, "nullable", true)
	}
	return s
}

// values is the enumeration of a field, or nil.
func (d *Description) values(f *Field) *yaml.Node {
	values := f.Values
	switch f.Name {
	case "OrigionDomain":
		values = d.Domains
	case "PaymentType":
		values = slices.Concat(values, d.Rules.Payments)
	}
	if len(values) == 0 {
		return nil
	}
	all := list()
	for _, v := range values {
		all.Content = append(all.Content, node(v))
	}
	return all
}
