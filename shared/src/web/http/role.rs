//! Who may use a route, and what a key entitles to.

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// Whoever has either key.
    Api,
    /// Whoever has the admin key.
    Admin,
}

/// What a key entitles its holder to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The routes for callers of the product.
    Api,
    /// Those, and the routes for operators.
    Admin,
}

impl Role {
    /// Its word in records and cookies.
    pub fn name(self) -> &'static str {
        match self {
            Role::Api => "api",
            Role::Admin => "admin",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Role> {
        let mut roles = [Role::Api, Role::Admin].into_iter();
        roles.find(|role| role.name() == name)
    }
}
