-- Valid in SQLite and PostgreSQL. Times are Unix milliseconds, lists are
-- separated by spaces, ids are given by counters: both engines number alike,
-- without gaps, in the order of commits.

-- +goose Up
create table counters (
    name  text   primary key,
    value bigint not null
);
insert into counters (name, value) values ('user', 0), ('revocation', 0);

create table lifetimes (
    name   text   primary key,
    millis bigint not null
);
insert into lifetimes (name, millis) values ('access', 0), ('session', 0);

create table meta (
    name  text primary key,
    value text not null
);

create table users (
    id            bigint  primary key,
    subject       text    not null unique,
    username      text    not null,
    username_key  text    not null unique,
    email         text    not null,
    email_key     text    not null unique,
    full_name     text    not null,
    password_hash text    not null,
    roles         text    not null,
    active        boolean not null,
    epoch         bigint  not null,
    session_epoch bigint  not null,
    kept_session  text    not null,
    created_at    bigint  not null
);

create table clients (
    id            text    primary key,
    incarnation   bigint  not null,
    public        boolean not null,
    secret_hash   bytea   not null,
    grants        text    not null,
    scopes        text    not null,
    resources     text    not null,
    serves        text    not null,
    introspect    boolean not null,
    refresh_grace bigint,
    created_at    bigint  not null
);

create table scopes (
    name          text primary key,
    requires_role text not null
);

create table resources (
    identifier text primary key,
    name       text not null,
    scopes     text not null
);

create table signing_keys (
    kid        text   primary key,
    algorithm  text   not null,
    generation bigint not null,
    sealed     bytea  not null,
    created_at bigint not null,
    active_at  bigint not null,
    remove_at  bigint not null,
    unique (algorithm, generation)
);

create table sessions (
    id                 text   primary key,
    subject            text   not null,
    client_id          text   not null,
    client_incarnation bigint not null,
    scope              text   not null,
    resources          text   not null,
    session_epoch      bigint not null,
    secret_hash        bytea  not null,
    counter            bigint not null,
    counter_before     bigint not null,
    rotated_at         bigint not null,
    created_at         bigint not null,
    last_used_at       bigint not null,
    idle_deadline      bigint not null,
    deadline           bigint not null,
    ip                 text   not null,
    user_agent         text   not null
);
create index sessions_subject on sessions (subject);
create index sessions_deadline on sessions (deadline);

create table tombstones (
    session_id text   primary key,
    subject    text   not null,
    client_id  text   not null,
    reason     text   not null,
    ended_at   bigint not null,
    until      bigint not null
);
create index tombstones_until on tombstones (until);
create index tombstones_subject on tombstones (subject, ended_at);

create table session_epochs (
    subject      text   not null,
    epoch        bigint not null,
    kept_session text   not null,
    reason       text   not null,
    ended_at     bigint not null,
    until        bigint not null,
    primary key (subject, epoch)
);
create index session_epochs_until on session_epochs (until);

create table revocations (
    seq       bigint primary key,
    kind      text   not null,
    id        text   not null,
    epoch     bigint not null,
    reason    text   not null,
    resources text   not null,
    until     bigint not null,
    unique (kind, id, epoch)
);
create index revocations_until on revocations (until);

create table events (
    id         bigint not null primary key,
    at         bigint not null,
    act        text   not null,
    result     text   not null,
    actor      text   not null,
    subject    text   not null,
    client_id  text   not null,
    session_id text   not null,
    ip         text   not null,
    request_id text   not null,
    reason     text   not null,
    times      bigint not null,
    chain      text   not null,
    key_id     text   not null,
    mac        bytea  not null
);

create table chains (
    id       text   primary key,
    event_id bigint not null,
    mac      bytea  not null,
    anchor   bytea  not null
);

create table event_log (
    name     text   primary key,
    first_id bigint not null,
    last_id  bigint not null,
    key_id   text   not null,
    seal     bytea  not null
);
insert into event_log (name, first_id, last_id, key_id, seal) values ('events', 1, 0, '', '');
