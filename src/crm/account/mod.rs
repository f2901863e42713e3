//! One CRM portal: its budget, its breaker, the only door to the network.

pub mod http;
