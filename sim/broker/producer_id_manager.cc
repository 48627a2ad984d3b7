#include "broker/producer_id_manager.h"

#include <utility>

namespace sim::broker {

namespace {

constexpr Duration kRetryBackoff = std::chrono::milliseconds(50);

}  // namespace

std::optional<ProducerId> ProducerIdManager::generate(LocalTime now, bool& wants_block) {
  if (current_.next == current_.size) {
    if (!next_) {
      wants_block = should_request(now);
      return std::nullopt;
    }
    current_ = *std::exchange(next_, std::nullopt);
    requested_ = false;
  }
  const std::int64_t id = current_.first + current_.next++;
  if (id == current_.first + current_.size * 9 / 10) wants_block = should_request(now);
  return ProducerId{id};
}

bool ProducerIdManager::should_request(LocalTime now) {
  if (retry_at_ && now < *retry_at_) return false;
  if (next_ || requested_) return false;
  requested_ = true;
  retry_at_.reset();
  return true;
}

void ProducerIdManager::answered(const std::optional<Message>& response, LocalTime now) {
  if (!response) {
    requested_ = false;
    return;
  }
  const auto& answer = std::get<AllocateProducerIdsResponse>(*response);
  if (answer.error == ErrorCode::none && answer.count > 0) {
    next_ = Block{answer.first.value(), answer.count, 0};
    return;
  }
  requested_ = false;
  retry_at_ = now + kRetryBackoff;
}

}  // namespace sim::broker
