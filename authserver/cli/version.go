package cli

import (
	"fmt"
	"io"
	"runtime/debug"
)

type versionCmd struct {
	output
}

func (versionCmd) Help() string {
	return "Example:\n\n\ttokenwright version --output json\n"
}

type versionView struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

func (cmd versionCmd) Run(con *console) error {
	v := buildVersion()
	return cmd.print(con, v, func(w io.Writer) {
		fmt.Fprintf(w, "tokenwright %s (commit %s, %s)\n", v.Version, v.Commit, v.Go)
	})
}

func buildVersion() versionView {
	v := versionView{Version: "devel", Commit: "unknown", Go: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Go = info.GoVersion
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	return v
}
