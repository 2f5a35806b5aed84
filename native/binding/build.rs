//! Sets up linking for Node's addon interface.
fn main() {
    napi_build::setup();
}
