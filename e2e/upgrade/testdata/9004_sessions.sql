-- +goose Up
alter table sessions add column device text not null default 'unknown';
create index sessions_client on sessions (client_id);
