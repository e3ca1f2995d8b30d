-- +goose Up
alter table tombstones add column note text;
