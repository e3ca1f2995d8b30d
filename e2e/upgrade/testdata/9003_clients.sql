-- +goose Up
alter table clients add column contact text not null default 'nobody';
