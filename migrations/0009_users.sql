-- 0 is a user who has not changed since.

-- +goose Up
alter table users add column updated_at bigint not null default 0;
