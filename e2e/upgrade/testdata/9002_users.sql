-- +goose Up
alter table users add column locale text;
alter table users add column quota bigint not null default 7;
create index users_created on users (created_at);
