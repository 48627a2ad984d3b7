#pragma once

#include <cstdint>
#include <optional>

#include "protocol/messages.h"
#include "server/controller_channel.h"

// Gives out producer ids from blocks that the controller allocates (RPCProducerIdManager): the next block is
// asked for when nine tenths of one are gone, or when there is none; meanwhile producers must ask again.
namespace sim::broker {

class ProducerIdManager {
 public:
  // nullopt: COORDINATOR_LOAD_IN_PROGRESS. True in `wants_block`: request() is to be sent.
  std::optional<ProducerId> generate(LocalTime now, bool& wants_block);

  void answered(const std::optional<Message>& response, LocalTime now);

 private:
  struct Block {
    std::int64_t first = 0;
    std::int64_t size = 0;
    std::int64_t next = 0;  // counted from `first`
  };

  bool should_request(LocalTime now);

  Block current_;
  std::optional<Block> next_;
  bool requested_ = false;  // until the block it brought is in use
  std::optional<LocalTime> retry_at_;
};

}  // namespace sim::broker
