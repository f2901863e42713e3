//! Tests over the seams: whole parts against simulators, in one binary so that it links once.

mod amocrm_lab;
