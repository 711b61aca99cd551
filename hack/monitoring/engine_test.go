package monitoring

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/template"
	"github.com/prometheus/prometheus/util/annotations"
)

// step is the time between two samples, and between two evaluations.
const step = time.Minute

// storageOf keeps series in promtool's notation, such as 'a{b="c"} 0+1x60': a sample a
// minute, from the beginning of time.
type storageOf []storage.Series

func load(t *testing.T, series []string) storageOf {
	t.Helper()
	var all storageOf
	for _, text := range series {
		metric, values, err := parser.ParseSeriesDesc(text)
		if err != nil {
			t.Fatalf("reading %s: %v", text, err)
		}
		s := promql.Series{Metric: metric}
		for i, v := range values {
			if !v.Omitted {
				s.Floats = append(s.Floats, promql.FPoint{T: (time.Duration(i) * step).Milliseconds(), F: v.Value})
			}
		}
		all = append(all, promql.NewStorageSeries(s))
	}
	return all
}

// Querier implements storage.Queryable.
func (s storageOf) Querier(_, _ int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		matching := slices.DeleteFunc(slices.Clone(s), func(series storage.Series) bool {
			return slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(series.Labels().Get(m.Name)) })
		})
		return &set{series: matching}
	}}, nil
}

// set goes through series.
type set struct {
	series storageOf
	at     int
}

func (s *set) Next() bool                        { s.at++; return s.at <= len(s.series) }
func (s *set) At() storage.Series                { return s.series[s.at-1] }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }

// firing returns the summaries of what fires of an alert at a time, sorted: of all that
// its expression has had at each evaluation for as long as the alert wants.
func firing(t *testing.T, alert rulefmt.Rule, series storageOf, at time.Duration) []string {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{Logger: slog.New(slog.DiscardHandler), MaxSamples: 1e6, Timeout: time.Minute})
	end := time.UnixMilli(0).Add(at)
	start := end.Add(-time.Duration(alert.For))
	query, err := engine.NewRangeQuery(t.Context(), series, nil, alert.Expr, start, end, step)
	if err != nil {
		t.Fatalf("%s: %v", alert.Alert, err)
	}
	defer query.Close()
	result := query.Exec(t.Context())
	matrix, err := result.Matrix()
	if err != nil {
		t.Fatalf("%s: %v", alert.Alert, err)
	}
	var summaries []string
	for _, s := range matrix {
		if len(s.Floats) == int(end.Sub(start)/step)+1 {
			summaries = append(summaries, summary(t, alert, promql.Sample{Metric: s.Metric, F: s.Floats[len(s.Floats)-1].F}))
		}
	}
	slices.Sort(summaries)
	return summaries
}

// summary is what a person is told.
func summary(t *testing.T, alert rulefmt.Rule, sample promql.Sample) string {
	t.Helper()
	text := `{{$labels := .Labels}}{{$value := .Value}}` + alert.Annotations["summary"]
	data := template.AlertTemplateData(sample.Metric.Map(), nil, "", sample)
	none := func(context.Context, string, time.Time) (promql.Vector, error) { return nil, nil }
	expanded, err := template.NewTemplateExpander(t.Context(), text, alert.Alert, data, model.Time(0), none, nil, nil).Expand()
	if err != nil {
		t.Fatalf("%s: %v", alert.Alert, err)
	}
	return expanded
}
