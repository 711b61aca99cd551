package event_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

func hash(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// as holds the fields that a body decides.
func as(id, kind, subject string, at time.Time) event.Event {
	return event.Event{ID: id, Type: kind, Subject: subject, Time: at}
}

var (
	long      = strings.Repeat("é", 300)
	envelopes = map[string]struct {
		reason string
		body   string
		want   event.Event
	}{
		"NoID": {
			reason: "one sample has none, and the hash of the body tells duplicates just as well",
			body:   `{"eventType":"a"}`,
			want:   as(hash(`{"eventType":"a"}`), "com.concur.a", "", arrival),
		},
		"NumberID": {
			reason: "the type of no field is promised",
			body:   `{"id":-12.50,"eventType":"a"}`,
			want:   as("-12.50", "com.concur.a", "", arrival),
		},
		"ObjectID": {
			reason: "what is no string or number is no id",
			body:   `{"id":{},"eventType":"a"}`,
			want:   as(hash(`{"id":{},"eventType":"a"}`), "com.concur.a", "", arrival),
		},
		"IDWithControlCharacter": {
			reason: "without the character it could equal another id, and that event would be lost as a duplicate",
			body:   `{"id":"7\u0007","eventType":"a"}`,
			want:   as(hash(`{"id":"7\u0007","eventType":"a"}`), "com.concur.a", "", arrival),
		},
		"IDWithLoneSurrogate": {
			reason: "all lone surrogates decode to one character, so two ids could become equal",
			body:   `{"id":"7\ud800","eventType":"a"}`,
			want:   as(hash(`{"id":"7\ud800","eventType":"a"}`), "com.concur.a", "", arrival),
		},
		"HugeID": {
			reason: "cut, it could equal another id",
			body:   `{"id":"` + long + `","eventType":"a"}`,
			want:   as(hash(`{"id":"`+long+`","eventType":"a"}`), "com.concur.a", "", arrival),
		},
		"OtherCase": {
			reason: "names of fields are what they are in JSON; Go's struct decoding would take these",
			body:   `{"ID":"1","id":"2","eventType":"a","TimeStamp":"2024-01-01T00:00:00Z","Facts":{"reportId":"R"}}`,
			want:   as("2", "com.concur.a", "", arrival),
		},
		"TopicWithoutPublic": {
			reason: "events of some topics are published without public.",
			body:   `{"id":"1","topic":"concur.request","eventType":"statusChange.PENDING.TMC"}`,
			want:   as("1", "com.concur.request.statusChange.PENDING.TMC", "", arrival),
		},
		"NoTopic": {
			reason: "the route tells the subscription; the type alone still says what happened",
			body:   `{"id":"1","topic":null,"eventType":"statusChanged"}`,
			want:   as("1", "com.concur.statusChanged", "", arrival),
		},
		"ControlCharactersAndSpaces": {
			reason: "a header could not hold these",
			body:   `{"id":"1","topic":" public.concur.x\r\n","eventType":"a\u0000b\ufffe\ud800","facts":{"reportId":"\u0085 R\u007f1 "}}`,
			want:   as("1", "com.concur.x.ab", "R1", arrival),
		},
		"Unicode": {
			reason: "CloudEvents strings hold any script; encoding them for HTTP is not done here",
			body:   `{"id":"日本-😀","eventType":"größe","facts":{"userId":"Ünal"}}`,
			want:   as("日本-😀", "com.concur.größe", "Ünal", arrival),
		},
		"HugeEventType": {
			reason: "proxies refuse large headers; the cut does not break a character",
			body:   `{"id":"1","eventType":"x` + long + `"}`,
			want:   as("1", "com.concur.x"+long[:510], "", arrival),
		},
		"SubjectIsFirstString": {
			reason: "null and numbers name nothing, and an empty string is as good as none",
			body:   `{"id":"1","eventType":"a","facts":{"userId":"u","id":"i","documentId":"","requestId":7,"reportId":null}}`,
			want:   as("1", "com.concur.a", "i", arrival),
		},
		"FactsAreNoObject": {
			reason: "some topics are said to carry strings where the samples have objects",
			body:   `{"id":"1","eventType":"a","facts":"{\"reportId\":\"R\"}"}`,
			want:   as("1", "com.concur.a", "", arrival),
		},
		"BrokenBytes": {
			reason: "bytes that are not UTF-8 do not make an event unreadable",
			body:   "{\"id\":\"1\",\"eventType\":\"a\xff\xfeb\"}",
			want:   as("1", "com.concur.ab", "", arrival),
		},
	}
)

func TestParse(t *testing.T) {
	t.Parallel()
	decided := cmpopts.IgnoreFields(event.Event{}, "Route", "Source", "DataContentType", "SubscriptionID", "Topic", "EventType", "Received", "Body")
	for name, tc := range envelopes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := event.Parse(origin, []byte(tc.body), arrival)
			if diff := cmp.Diff(tc.want, got, decided); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if err := invalid(got); err != nil {
				t.Error(err)
			}
			if got.DataContentType != "application/json" {
				t.Errorf("data content type %q", got.DataContentType)
			}
		})
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Time{
		`"2021-03-29T21:10:45.815Z"`:                  time.Date(2021, 3, 29, 21, 10, 45, 815e6, time.UTC),
		`"2021-03-29T21:10:45.81Z"`:                   time.Date(2021, 3, 29, 21, 10, 45, 810e6, time.UTC),
		`"2021-03-29T21:10:45.123456789Z"`:            time.Date(2021, 3, 29, 21, 10, 45, 123456789, time.UTC),
		`"2021-03-29T21:10:45.123456789123Z"`:         time.Date(2021, 3, 29, 21, 10, 45, 123456789, time.UTC),
		`"2021-03-29T21:10:45Z"`:                      time.Date(2021, 3, 29, 21, 10, 45, 0, time.UTC),
		`"2021-03-29t21:10:45z"`:                      time.Date(2021, 3, 29, 21, 10, 45, 0, time.UTC),
		`"2021-03-29T21:10:45.5+02:00"`:               time.Date(2021, 3, 29, 19, 10, 45, 5e8, time.UTC),
		`"2021-03-29T21:10:45.815+0000"`:              time.Date(2021, 3, 29, 21, 10, 45, 815e6, time.UTC),
		`"2021-03-29T21:10:45-0330"`:                  time.Date(2021, 3, 30, 0, 40, 45, 0, time.UTC),
		`"1970-01-01T00:00:00.000Z"`:                  time.Unix(0, 0).UTC(),
		`"2020-13-16T18:08:51.309Z"`:                  arrival, // month 13, as in the samples of the identity topic
		`"0001-01-01T00:00:00Z"`:                      arrival, // Go's zero time, which many encoders leave out
		`"0000-01-01T00:00:00+01:00"`:                 arrival, // in UTC before the years that RFC 3339 has
		`"9999-12-31T23:00:00-02:00"`:                 arrival, // and after
		`"2021-03-29"`:                                arrival,
		`"` + strings.Repeat("2021-03-29T", 99) + `"`: arrival,
		`""`:         arrival,
		`1617052245`: arrival,
		`null`:       arrival,
		`{"timeStamp":"2021-03-29T21:10:45.815+0000"}`: arrival,
	} {
		got := event.Parse(origin, []byte(`{"eventType":"a","timeStamp":`+value+`}`), arrival)
		if !got.Time.Equal(want) {
			t.Errorf("%s became %s, want %s", value, got.Time, want)
		}
		if got.Quarantine != "" {
			t.Errorf("%s: quarantined: %s", value, got.Quarantine)
		}
	}
}
