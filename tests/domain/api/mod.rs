mod create;
mod openapi;
mod rate_limit;
mod route;
