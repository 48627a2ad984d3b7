#pragma once

// SIGINT and SIGTERM, noted: what is under way ends at the next good place.
namespace sim::app {

// From here on both are noted, and nothing else happens by them.
void listen_to_signals();
// Which came last (0: none).
int interrupted_by();
inline bool is_interrupted() {
  return interrupted_by() != 0;
}

}  // namespace sim::app
