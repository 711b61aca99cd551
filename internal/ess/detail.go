package ess

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxDetail = 256 // runes
	redacted  = "[redacted]"
)

// fault is the text of a refusal, taken from the error forms that Concur's services are known to use.
// ESS's own form is not documented.
type fault struct {
	message string
	id      string // a stable name of the fault, such as request.validation.error
	more    []string
	raw     string // the whole body, when it has no known form
}

// text is all that the fault says, on one line.
func (f fault) text() string {
	if f.message == "" && f.id == "" && len(f.more) == 0 {
		return f.raw
	}
	parts := make([]string, 0, 2+len(f.more))
	if f.message != "" {
		parts = append(parts, f.message)
	}
	parts = append(parts, f.more...)
	text := strings.Join(parts, "; ")
	switch {
	case f.id == "":
		return text
	case text == "":
		return f.id
	}
	return text + " (" + f.id + ")"
}

// wireFault is the union of the known forms: {"error":{"id","message"},"validationErrors":[…]},
// {"errorMessage","errorId"}, {"error","error_description"}, {"message"} and {"Content":{"Error":{"Message"}}}.
type wireFault struct {
	Error            json.RawMessage `json:"error"`
	Description      looseText       `json:"error_description"`
	Message          looseText       `json:"message"`
	ErrorMessage     looseText       `json:"errorMessage"`
	ErrorID          looseText       `json:"errorId"`
	ValidationErrors json.RawMessage `json:"validationErrors"`
	Content          json.RawMessage `json:"Content"`
}

// looseText is a string in JSON; anything else there reads as "".
type looseText string

// UnmarshalJSON never fails: a refusal of odd form is still a refusal.
func (t *looseText) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*t = looseText(s)
	}
	return nil
}

// decodeFault never fails: what it does not know is kept as raw text.
func decodeFault(body []byte) fault {
	var w wireFault
	f := fault{raw: string(body)}
	if json.Unmarshal(body, &w) != nil {
		return f
	}
	name, message := faultObject(w.Error)
	var content struct{ Error json.RawMessage }
	_ = json.Unmarshal(w.Content, &content) // absent or of another shape: no message from there
	_, classic := faultObject(content.Error)
	f.message = firstOf(message, w.Description, w.ErrorMessage, w.Message, classic)
	f.id = firstOf(name, w.ErrorID)
	var validation []struct{ Source, Message looseText }
	if json.Unmarshal(w.ValidationErrors, &validation) == nil {
		for _, v := range validation {
			if s := firstOf(joined(v.Source, v.Message), v.Source, v.Message); s != "" {
				f.more = append(f.more, s)
			}
		}
	}
	return f
}

// faultObject reads the member "error", which is an object with id and message or, in OAuth2, the id alone.
func faultObject(data json.RawMessage) (id, message looseText) {
	var object struct{ ID, Message looseText }
	if json.Unmarshal(data, &object) == nil {
		return object.ID, object.Message
	}
	if json.Unmarshal(data, &id) != nil {
		return "", ""
	}
	return id, ""
}

func joined(source, message looseText) looseText {
	if source == "" || message == "" {
		return ""
	}
	return source + ": " + message
}

func firstOf(texts ...looseText) string {
	for _, t := range texts {
		if t != "" {
			return string(t)
		}
	}
	return ""
}

// secretish finds what looks like a secret even if it is not one of ours: bearer tokens, JWTs whole or cut,
// members of a form or of JSON that carry credentials, and passwords in URLs.
var secretish = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[^\s"',;<>]+` +
	`|eyJ[A-Za-z0-9_-]{4,}[A-Za-z0-9_.*-]*` +
	`|(client_secret|access_token|refresh_token|id_token|password)["']?\s*[=:]\s*["']?[^\s"'&,;<>}]+` +
	`|://[^/@\s]+@`)

// scrubber makes texts of others fit to be shown.
type scrubber struct{ secrets []string }

// newScrubber hides the given secrets, also in the forms in which a form body or JSON would repeat them.
func newScrubber(secrets ...string) scrubber { return scrubber{}.with(secrets...) }

func (s scrubber) with(secrets ...string) scrubber {
	all := append([]string(nil), s.secrets...)
	for _, secret := range secrets {
		quoted, _ := json.Marshal(secret) // a string always has a JSON form
		for _, form := range []string{secret, url.QueryEscape(secret), string(quoted[1 : len(quoted)-1])} {
			if form = oneLine(form); form != "" {
				all = append(all, form)
			}
		}
	}
	return scrubber{secrets: all}
}

// line returns text as one line of at most 256 runes, without control characters and secrets.
func (s scrubber) line(text string) string {
	text = oneLine(text)
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	text = secretish.ReplaceAllString(text, redacted)
	if utf8.RuneCountInString(text) <= maxDetail {
		return text
	}
	return string([]rune(text)[:maxDetail-1]) + "…"
}

// oneLine drops what could disturb a terminal or a log and folds white space.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
