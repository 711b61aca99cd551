package licence

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/hack/images/internal/gobuild"
)

// mit is the MIT licence, which the tests give to everything.
const mit = `Copyright (c) 2026 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`

// bsd is the licence of Go.
const bsd = `Copyright 2026 Somebody.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following
conditions are met:

   * Redistributions of source code must retain the above copyright notice, this list of conditions and the following disclaimer.
   * Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
disclaimer in the documentation and/or other materials provided with the distribution.
   * Neither the name of Somebody nor the names of its contributors may be used to endorse or promote products derived
from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING,
BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT
SHALL THE COPYRIGHT OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR
BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT
(INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF
SUCH DAMAGE.
`

// gpl is how the GNU General Public License begins, which is enough to know it by.
const gpl = `GNU GENERAL PUBLIC LICENSE
Version 3, 29 June 2007
Copyright (C) 2007 Free Software Foundation, Inc. <https://fsf.org/>
Everyone is permitted to copy and distribute verbatim copies of this license document, but changing it is not allowed.
`

// program is made of a module with one package two directories deep; files are below
// a directory that holds Go (go), the program (main) and the module (dep).
func program(t *testing.T, files map[string]string) *gobuild.Binary {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"go", "main", "dep/third_party/forked"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dep := filepath.Join(root, "dep")
	return &gobuild.Binary{
		GoRoot: filepath.Join(root, "go"), Module: "example.com/main", Dir: filepath.Join(root, "main"),
		Modules:  []gobuild.Module{{Path: "example.com/dep", Version: "v1.2.3", Dir: dep}},
		Packages: []gobuild.Package{{ImportPath: "example.com/dep/third_party/forked", Dir: filepath.Join(dep, "third_party", "forked"), Module: "example.com/dep", ModuleDir: dep}},
	}
}

// collected are trees of files, and what is found there.
var collected = map[string]struct {
	reason string
	files  map[string]string
	want   []string
	err    error
}{
	"One": {
		reason: "Every module, the program's own and Go give one at least.",
		files:  map[string]string{"go/LICENSE": mit, "main/LICENSE": mit, "dep/LICENSE": mit},
		want:   []string{"example.com/dep/LICENSE", "example.com/main/LICENSE", "std/LICENSE"},
	},
	"OtherNames": {
		reason: "People call the file many things; those that grant nothing go along.",
		files: map[string]string{
			"go/LICENSE": mit, "go/PATENTS": "patents", "main/LICENCE.md": mit, "dep/COPYING.txt": mit, "dep/NOTICE": "by somebody",
			"dep/license.go": "package dep", "dep/README": mit,
		},
		want: []string{"example.com/dep/COPYING.txt", "example.com/dep/NOTICE", "example.com/main/LICENCE.md", "std/LICENSE", "std/PATENTS"},
	},
	"Forked": {
		reason: "Code that a module took over from somebody else has a licence beside it.",
		files: map[string]string{
			"go/LICENSE": mit, "main/LICENSE": mit, "dep/LICENSE": mit,
			"dep/third_party/LICENSE": mit, "dep/third_party/forked/LICENSE": mit,
		},
		want: []string{
			"example.com/dep/LICENSE", "example.com/dep/third_party/LICENSE", "example.com/dep/third_party/forked/LICENSE",
			"example.com/main/LICENSE", "std/LICENSE",
		},
	},
	"None": {
		reason: "What has no licence must not be passed on.",
		files:  map[string]string{"go/LICENSE": mit, "main/LICENSE": mit},
		want:   []string{"example.com/main/LICENSE", "std/LICENSE"},
		err:    ErrNone,
	},
	"OnlyNotice": {
		reason: "A notice grants nothing.",
		files:  map[string]string{"go/LICENSE": mit, "main/LICENSE": mit, "dep/NOTICE": mit},
		want:   []string{"example.com/dep/NOTICE", "example.com/main/LICENSE", "std/LICENSE"},
		err:    ErrNone,
	},
	"NoLicenceInTheFile": {
		reason: "A file of that name may say anything; nobody looked into it yet.",
		files:  map[string]string{"go/LICENSE": mit, "main/LICENSE": mit, "dep/LICENSE": "All rights reserved."},
		want:   []string{"example.com/dep/LICENSE", "example.com/main/LICENSE", "std/LICENSE"},
		err:    ErrNone,
	},
	"Copyleft": {
		reason: "It asks for more than its text, which nobody has decided to do.",
		files:  map[string]string{"go/LICENSE": mit, "main/LICENSE": mit, "dep/COPYING": gpl},
		want:   []string{"example.com/dep/COPYING", "example.com/main/LICENSE", "std/LICENSE"},
		err:    ErrNone,
	},
	"GoWithout": {
		reason: "Go itself is in every program.",
		files:  map[string]string{"main/LICENSE": mit, "dep/LICENSE": mit},
		want:   []string{"example.com/dep/LICENSE", "example.com/main/LICENSE"},
		err:    ErrNone,
	},
}

func TestCollect(t *testing.T) {
	t.Parallel()
	for name, tc := range collected {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			texts, err := Collect(program(t, tc.files))
			if !errors.Is(err, tc.err) {
				t.Errorf("%s\nCollect() gives the error %v, want %v", tc.reason, err, tc.err)
			}
			var names []string
			for _, text := range texts {
				names = append(names, text.Name)
			}
			if diff := cmp.Diff(tc.want, names); diff != "" {
				t.Errorf("%s\nCollect() (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestExpressionNamesEachLicenceOnce(t *testing.T) {
	t.Parallel()
	texts, err := Collect(program(t, map[string]string{"go/LICENSE": bsd, "main/LICENSE": mit, "dep/LICENSE": mit}))
	if err != nil {
		t.Fatal(err)
	}
	if got := Expression(texts); got != "BSD-3-Clause AND MIT" {
		t.Errorf("Expression() = %q", got)
	}
}

func TestModuleWithoutLicence(t *testing.T) {
	t.Parallel()
	if _, err := Module("example.com/data", t.TempDir()); !errors.Is(err, ErrNone) {
		t.Errorf("Module() of an empty directory gives the error %v", err)
	}
}
