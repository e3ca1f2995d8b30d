-- What is to be sent. Until due_at it is left alone: it waits for its next try, or
-- is being tried by the server that claim names. facts are sealed.

-- +goose Up
create table outbox (
    kind     text   not null,
    id       text   not null,
    receiver text   not null,
    facts    text   not null,
    first_at bigint not null,
    due_at   bigint not null,
    tries    bigint not null,
    claim    text   not null,
    failure  text   not null,
    primary key (kind, id)
);
create index outbox_due_at on outbox (due_at);
