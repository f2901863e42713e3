//! Which scope a request needs (`crm/planfix.md` §2).

/// Returns the scope of a request to REST; nothing where the contract names none.
pub(super) fn needed(method: &str, parts: &[&str]) -> Option<&'static str> {
    Some(match (method, parts) {
        ("POST", ["contact", "list"]) | ("GET", ["contact", _]) => "contact_readonly",
        ("POST", ["contact", ""] | ["contact"]) => "contact_add",
        ("POST", ["contact", _]) => "contact_update",
        ("POST", ["task", "list"]) | ("GET", ["task", _]) => "task_readonly",
        ("POST", ["task", ""] | ["task"]) => "task_add",
        ("POST", ["task", _]) => "task_update",
        ("POST", [_, _, "comments", "list"]) => "comment_readonly",
        ("POST", [_, _, "comments", ""]) => "comment_add",
        ("POST", ["user", "list"]) => "user_readonly",
        _ => return None,
    })
}
