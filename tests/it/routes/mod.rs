//! The routes as their callers meet them.

mod costs;
mod foreign;
mod front_door;
mod helpers;
mod invoke;
mod jobs;
mod pages;
mod scan;
