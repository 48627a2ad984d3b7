#pragma once

#include "base/time.h"
#include "metadata/metadata_image.h"
#include "node/node.h"
#include "protocol/ids.h"
#include "server/config.h"

// What the parts of a broker share during one step. Never kept.
namespace sim::server {

struct Context {
  node::Env env;
  node::Effects& out;
  const metadata::MetadataImage& image;  // as far as this broker has replayed it
  const BrokerConfig& config;
  NodeId self;
  BrokerEpoch broker_epoch;  // of this broker's registration; -1 before

  LocalTime now() const { return env.now; }
  // Of the wall clock.
  std::int64_t now_ms() const { return env.wall_ms(); }
};

// Earlier than anything that happens in a run; Kafka's time stamp 0.
inline constexpr LocalTime kLongAgo{Duration::min() / 2};

}  // namespace sim::server
