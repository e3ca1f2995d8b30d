-- A row of kind 'sessions' is a raising of a user's session epoch: id is the
-- subject, epoch the session epoch, user_epoch the epoch of access tokens as it
-- was, kept the sessions that outlived it. A server of the version before shows
-- the kind to its followers, who do not know it.

-- +goose Up
alter table revocations add column user_epoch bigint not null default 0;
alter table revocations add column kept text not null default '';
