package pages

import (
	"strings"

	"github.com/mileusna/useragent"
)

// Device is the browser and the system of a user agent, such as "Firefox
// (Windows)": short enough to be kept with a session, unlike what it is made of.
// What no browser sent is returned as it is, and so is what Device returned.
func Device(userAgent string) string {
	if !strings.HasPrefix(userAgent, "Mozilla/") && !strings.HasPrefix(userAgent, "Opera/") {
		return userAgent
	}
	ua := useragent.Parse(userAgent)
	name, system := ua.Name, ua.OS
	if name == "Mozilla" || ua.Version == "" { // one that was cut off
		name = ""
	}
	switch {
	case name == "" && system == "":
		return userAgent
	case name == "":
		return system
	case system == "":
		return name
	}
	return name + " (" + system + ")"
}
