// Package links_test holds the documents to their links: a file that is named is
// there, and a heading that is named is in it. A heading that was renamed would
// otherwise leave its readers at the top of a long page.
package links_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

var (
	blocks   = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```")
	links    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	labels   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	headings = regexp.MustCompile(`(?m)^#+ (.*)$`)
	anchors  = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	skipped  = regexp.MustCompile(`^(\..*|bin|dist|testdata)$`)
	dropped  = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
)

func TestLinks(t *testing.T) {
	t.Parallel()
	pages := documents(t)
	if len(pages) < 20 {
		t.Fatalf("found %d documents: the test looks in the wrong place", len(pages))
	}
	for page, text := range pages {
		for _, link := range links.FindAllStringSubmatch(text, -1) {
			if strings.Contains(link[1], ":") {
				continue // of another host
			}
			if problem := follow(pages, page, link[1]); problem != "" {
				t.Errorf("%s links to %s: %s", page, link[1], problem)
			}
		}
	}
}

func TestSlugs(t *testing.T) {
	t.Parallel()
	got := slugs("# `routes.yaml`, [now](x.md)\n## Tasks\n## Tasks\n<a id=\"own\"></a>\n")
	for _, want := range []string{"routesyaml-now", "tasks", "tasks-1", "own"} {
		if !got[want] {
			t.Errorf("the heading for #%s was not found in %v", want, got)
		}
	}
}

// documents returns the text without code of every Markdown file by its path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != root && entry.IsDir() && skipped.MatchString(entry.Name()) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		pages[path] = blocks.ReplaceAllString(string(text), "")
		return err
	})
	if err != nil {
		t.Fatalf("reading the documents: %v", err)
	}
	return pages
}

// follow says what is wrong with a link of a page, or nothing.
func follow(pages map[string]string, page, link string) string {
	file, heading, _ := strings.Cut(link, "#")
	target := page
	if file != "" {
		target = filepath.Join(filepath.Dir(page), file)
	}
	if _, err := os.Stat(target); err != nil {
		return "there is no such file"
	}
	if text, ok := pages[target]; ok && heading != "" && !slugs(text)[heading] {
		return "there is no such heading"
	}
	return ""
}

// slugs returns what may stand behind # for a text, in GitHub's way: small
// letters, hyphens for blanks, no other signs, and a number from the second on.
func slugs(text string) map[string]bool {
	found, count := map[string]bool{}, map[string]int{}
	for _, heading := range headings.FindAllStringSubmatch(text, -1) {
		slug := strings.ToLower(strings.TrimSpace(labels.ReplaceAllString(heading[1], "$1")))
		slug = strings.ReplaceAll(dropped.ReplaceAllString(slug, ""), " ", "-")
		name := slug
		if n := count[slug]; n > 0 {
			name += "-" + strconv.Itoa(n)
		}
		count[slug]++
		found[name] = true
	}
	for _, anchor := range anchors.FindAllStringSubmatch(text, -1) {
		found[anchor[1]] = true
	}
	return found
}
