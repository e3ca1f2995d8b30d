package httpapi

import (
	"context"
	"time"

	"github.com/tokenwright/tokenwright/authserver/sessions"
)

// session is one of sessionList. Of one that has ended little is known but that.
type session struct {
	SID        string     `json:"sid"`
	ClientID   string     `json:"client_id" example:"first-party"`
	CreatedAt  *time.Time `json:"created_at,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
	IP         string     `json:"ip" example:"203.0.113.9"`
	UserAgent  string     `json:"user_agent"`
	Parent     string     `json:"parent,omitempty" doc:"The browser session that opened it"`
	AuthTime   *time.Time `json:"auth_time,omitempty" doc:"When the person last logged in for it"`
	AMR        []string   `json:"amr,omitempty" example:"pwd" doc:"By which means (RFC 8176)"`
	Current    bool       `json:"current" doc:"Whether it is the one of the token that asks"`
	EndedAt    *time.Time `json:"ended_at,omitempty"`
	Reason     string     `json:"reason,omitempty" example:"logout" doc:"Why it has ended"`
}

type sessionList struct {
	Sessions []session `json:"sessions" nullable:"false"`
	Total    int       `json:"total"`
}

type sessionsInput struct {
	Page
	Ended bool `query:"ended" doc:"Those that have ended in the last 30 days, the last ended first"`
}

func (s *server) sessions(ctx context.Context, in *sessionsInput) (*body[sessionList], error) {
	if in.Ended {
		return s.endedSessions(ctx, in.Page)
	}
	c, p := claims(ctx), in.Page
	sessions, total, err := s.Sessions.List(ctx, c.Subject, p.store())
	if err != nil {
		return nil, err
	}
	list := sessionList{Sessions: make([]session, len(sessions)), Total: total}
	for i, one := range sessions {
		list.Sessions[i] = session{
			SID: one.ID, ClientID: one.ClientID, CreatedAt: utc(one.CreatedAt), LastUsedAt: utc(one.LastUsedAt),
			IP: one.IP, UserAgent: one.UserAgent, Current: one.ID == c.SessionID,
			Parent: one.Parent, AMR: one.AMR,
		}
		if !one.AuthTime.IsZero() {
			list.Sessions[i].AuthTime = utc(one.AuthTime)
		}
	}
	return &body[sessionList]{Body: list}, nil
}

func (s *server) endedSessions(ctx context.Context, p Page) (*body[sessionList], error) {
	ended, total, err := s.Sessions.Ended(ctx, claims(ctx).Subject, p.store())
	if err != nil {
		return nil, err
	}
	list := sessionList{Sessions: make([]session, len(ended)), Total: total}
	for i, one := range ended {
		list.Sessions[i] = session{SID: one.SessionID, ClientID: one.ClientID, EndedAt: utc(one.EndedAt), Reason: string(one.Reason)}
	}
	return &body[sessionList]{Body: list}, nil
}

func utc(t time.Time) *time.Time {
	t = t.UTC()
	return &t
}

type sessionInput struct {
	SID string `path:"sid" maxLength:"64"`
}

func (s *server) endSession(ctx context.Context, in *sessionInput) (*empty, error) {
	return nil, s.Sessions.EndOne(ctx, sessions.Of(claims(ctx)), in.SID)
}

func (s *server) endOtherSessions(ctx context.Context, _ *struct{}) (*empty, error) {
	return nil, s.Sessions.EndOthers(ctx, sessions.Of(claims(ctx)))
}

func (s *server) logout(ctx context.Context, _ *struct{}) (*empty, error) {
	return nil, s.Sessions.Logout(ctx, sessions.Of(claims(ctx)))
}

type passwordInput struct {
	Body struct {
		CurrentPassword string `json:"current_password" format:"password"`
		NewPassword     string `json:"new_password" format:"password" doc:"8 to 1024 bytes, not among the commonest"`
	}
}

func (s *server) changePassword(ctx context.Context, in *passwordInput) (*empty, error) {
	return nil, s.OAuth.ChangePassword(ctx, sessions.Of(claims(ctx)), in.Body.CurrentPassword, in.Body.NewPassword)
}
