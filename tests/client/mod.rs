mod reference;
mod retry;
