package api

import (
	"golang.org/x/text/language"

	"pbochsm/cmd/onecard/internal/api/contract"
)

// languages are in the order of contract.Language.
var languages = language.NewMatcher([]language.Tag{language.Chinese, language.English})

// longestAccept bounds the work that a header can ask for.
const longestAccept = 200

// speak is the language of ErrorMsg that the header Accept-Language chooses,
// or byDefault if it chooses none of ours.
func speak(accept string, byDefault contract.Language) contract.Language {
	if accept == "" || len(accept) > longestAccept {
		return byDefault
	}
	tags, weights, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return byDefault
	}
	for i, tag := range tags {
		if _, at, sure := languages.Match(tag); weights[i] > 0 && sure > language.Low {
			return contract.Language(at)
		}
	}
	return byDefault
}
