-- +goose Up
alter table sessions add column claims text not null default '';
