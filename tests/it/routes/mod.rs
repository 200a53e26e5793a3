//! The routes from the callers' point of view.

mod conditional;
mod costs;
mod cursors;
mod errors;
mod foreign;
mod front_door;
mod guesses;
mod helpers;
mod invoke;
mod jobs;
mod pages;
mod scan;
mod strict;
mod trouble;
mod waking;
mod words;
