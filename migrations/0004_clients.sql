-- For login by redirect. Descriptions of scopes are in a step of their own.

-- +goose Up
alter table clients add column name text not null default '';
alter table clients add column redirect_uris text not null default '';
alter table clients add column post_logout_redirect_uris text not null default '';
alter table clients add column backchannel_logout_uri text not null default '';
alter table clients add column trusted boolean not null default false;
alter table clients add column pkce_optional boolean not null default false;
alter table clients add column require_pushed_requests boolean not null default false;
alter table clients add column id_token_algorithm text not null default '';
