-- +goose Up
alter table scopes add column description text not null default '';
