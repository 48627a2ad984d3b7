#pragma once

#include <cstdint>

// What can be due in a world. Small numbers only; what is bigger lies with whoever schedules it.
namespace sim::cluster {

enum class EventKind : std::uint16_t {
  start,
  start_again,
  timer,
  persisted,
  persisted_told,  // to the thread that has waited for the write and for a core
  stop,
  sockets_close,     // of a process that was killed
  connect_arrives,   // at the server
  connect_answered,  // at the client: accepted or refused
  connect_again,     // the client sends another SYN
  close_reaches_client,
  close_reaches_server,
  reset_reaches_server,
  retransmit_to_server,
  retransmit_to_client,
  message,  // has come to where it goes on: see MessageInFlight::Stage
  fault_strikes,
  fault_ends,
  throttle_ends,
  target_fixed,
  healed,  // every fault ends for good, and every server is there again
};

struct Event {
  EventKind kind;
  std::uint16_t process;
  std::uint32_t index;  // timer id, ticket, connection, pending write or fault
  std::uint64_t life;   // the incarnation, connection generation or strike it was meant for
  std::uint64_t cause;  // number of the event whose handling scheduled it
};

}  // namespace sim::cluster
