-- Whose entries one counts among: of a session the user's subject, of a token
-- that and its session. Empty for all others, and for those of a server of the
-- version before, which are not bounded.

-- +goose Up
alter table revocations add column subject text not null default '';
alter table revocations add column session_id text not null default '';
create index revocations_subject on revocations (subject, session_id, until);
