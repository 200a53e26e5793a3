//! The routes as their callers meet them.

mod foreign;
mod front_door;
mod helpers;
mod invoke;
mod jobs;
mod scan;
