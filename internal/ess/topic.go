package ess

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
)

// Topics returns the topics that the application's scopes allow, in ESS's order. None is not an error:
// it means that the scopes of the topics are missing ("SAP Concur, Event Subscription Service v4").
func (c *Client) Topics(ctx context.Context) ([]string, error) {
	r := request{name: "topics", doing: "listing topics", method: http.MethodGet, path: "/topics"}
	a, err := c.call(ctx, r)
	if err != nil {
		return nil, err
	}
	topics, err := decodeTopics(a.body)
	if err != nil {
		return nil, c.malformed(r, a, err)
	}
	return topics, nil
}

func decodeTopics(body []byte) ([]string, error) {
	var topics []string
	if err := json.Unmarshal(body, &topics); err != nil || topics == nil {
		return nil, errors.New("want an array of topic names")
	}
	if slices.Contains(topics, "") {
		return nil, errors.New("want a name for every topic")
	}
	return topics, nil
}
