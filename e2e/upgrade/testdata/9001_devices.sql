-- What the next steps of the schema may be: they only add, and each takes hold of
-- one table that is there. The version before writes its rows without a word of
-- any of this.

-- +goose Up
create table devices (
    id      text   primary key,
    seen_at bigint not null
);
