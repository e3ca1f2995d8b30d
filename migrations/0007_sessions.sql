-- +goose Up
alter table sessions add column parent text not null default '';
alter table sessions add column auth_time bigint not null default 0;
alter table sessions add column amr text not null default '';
alter table sessions add column consent_epoch bigint not null default 0;
create index sessions_idle_deadline on sessions (idle_deadline);
