package pages

import "time"

// Done is what was just done, said at the top of the page after it.
type Done string

// What the account pages can have done.
const (
	SessionEnded  Done = "session_ended"
	SessionsEnded Done = "sessions_ended" // all others
	AppWithdrawn  Done = "app_withdrawn"
	AlreadyDone   Done = "already" // it was gone before
)

// Account is the home page of a person's account.
type Account struct {
	Common
	Menu
	FullName string
	Email    string
	Done     Done
}

func (p Account) view() view { return view{name: "account", data: p} }

// Sessions lists where a person is logged in. Its forms post act=end with sid,
// or act=end_others.
type Sessions struct {
	Common
	Menu
	Action string
	List   []SessionRow
	Done   Done
}

// SessionRow is one session.
type SessionRow struct {
	ID       string
	ParentID string // the browser session that opened it, or empty
	Browser  bool   // whether it is a browser session
	Current  bool   // whether it is this browser's
	Client   string // name of the application; of no use to browser sessions
	// Device is what Device made of the user agent, or the user agent.
	Device     string
	IP         string
	CreatedAt  time.Time
	LastUsedAt time.Time
}

// group is a browser session with what it opened, or one session by itself.
type group struct {
	SessionRow
	Action   string
	Children []group
}

func (p Sessions) view() view {
	children := map[string][]group{}
	browsers := map[string]bool{}
	for _, s := range p.List {
		if s.Browser {
			browsers[s.ID] = true
		}
	}
	row := func(s SessionRow) group {
		s.Device = Device(s.Device)
		return group{SessionRow: s, Action: p.Action}
	}
	for _, s := range p.List {
		if !s.Browser && browsers[s.ParentID] {
			children[s.ParentID] = append(children[s.ParentID], row(s))
		}
	}
	var groups, others []group
	for _, s := range p.List {
		g := row(s)
		switch {
		case s.Browser:
			g.Children = children[s.ID]
			groups = append(groups, g)
		case !browsers[s.ParentID]:
			others = append(others, g)
		}
	}
	return view{name: "sessions", data: struct {
		Sessions
		Groups, Apart []group
		Others        bool
	}{p, groups, others, len(p.List) > 1}}
}

// Apps lists the applications that a person has given consent. Its forms post
// act=withdraw with client_id.
type Apps struct {
	Common
	Menu
	Action string
	List   []AppRow
	Done   Done
}

// AppRow is one application.
type AppRow struct {
	ClientID  string
	Name      string
	Scopes    []Scope
	Resources []string
	GrantedAt time.Time
}

func (p Apps) view() view { return view{name: "apps", data: p} }
