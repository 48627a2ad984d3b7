#pragma once

#include <cstdint>

#include "metadata/metadata_image.h"
#include "node/node.h"
#include "server/controller_channel.h"

// Keeps a controller registered (ControllerRegistrationManager, KIP-919): while the committed metadata does
// not name its incarnation, it asks the active controller, which may be itself, to write a
// RegisterControllerRecord. A failed attempt is repeated after 100 ms, then twice as late each time, ±2 %.
namespace sim::server {

class ControllerRegistration {
 public:
  struct Identity {
    ProcessId process;
    NodeId id;
    std::uint64_t incarnation = 0;  // another one each time it starts
  };

  explicit ControllerRegistration(const Identity& identity);

  // Who leads the quorum, as far as this server knows; kNoProcess while nobody is known.
  void set_controller(ProcessId controller, node::Env env, node::Effects& out);
  // Something was committed.
  void replayed(const metadata::MetadataImage& committed, node::Env env, node::Effects& out);
  // Asks no more. For good.
  void close(node::Env env, node::Effects& out);

  void step(node::Input& input, node::Env env, node::Effects& out);

 private:
  void maybe_register(node::Env env, node::Effects& out);
  void handle(const ControllerChannel::Answers& answers, node::Env env, node::Effects& out);

  Identity identity_;
  ControllerChannel channel_;
  bool has_metadata_ = false;  // knows the cluster's features
  bool is_registered_ = false;
  bool is_asking_ = false;
  bool is_closed_ = false;
  std::int32_t failures_ = 0;
};

}  // namespace sim::server
