-- What users let clients do. One that was taken back stays with its epoch, and
-- without scopes and resources.

-- +goose Up
create table consents (
    subject    text   not null,
    client_id  text   not null,
    scopes     text   not null,
    resources  text   not null,
    epoch      bigint not null,
    granted_at bigint not null,
    primary key (subject, client_id)
);
create index consents_client on consents (client_id);
