#include "replica/alter_partition.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::replica {

namespace {

constexpr node::TimerId kAlterPartitionRetryTimer{node::Part::alter_partition, ControllerChannel::kTimers};
constexpr Duration kRetryAfter = std::chrono::milliseconds(50);

}  // namespace

AlterPartitionManager::AlterPartitionManager(ProcessId self)
    : channel_(self, Lane::alter_partition, kForever) {}

void AlterPartitionManager::set_controller(ProcessId controller, const Context& context) {
  ControllerChannel::Answers none;  // nothing is given up
  channel_.set_controller(controller, context.env, context.out, none);
}

bool AlterPartitionManager::submit(const IsrChange& change, const Context& context) {
  const auto same = [&](const IsrChange& one) { return one.request.tp == change.request.tp; };
  if (std::any_of(unsent_.begin(), unsent_.end(), same)) return false;
  unsent_.push_back(change);
  send(context);
  return true;
}

void AlterPartitionManager::propagate(const Context& context) {
  if (std::exchange(answered_, false)) in_flight_ = 0;
  if (!backing_off_) send(context);
}

void AlterPartitionManager::send(const Context& context) {
  if (in_flight_ > 0 || unsent_.empty()) return;
  AlterPartitionRequest request;
  request.broker = context.self;
  request.broker_epoch = context.broker_epoch;
  for (const IsrChange& change : unsent_) request.partitions.push_back(change.request);
  in_flight_ = unsent_.size();
  ControllerChannel::Answers none;
  channel_.send(std::move(request), context.env, context.out, none);
}

void AlterPartitionManager::step(node::Input& input, const Context& context, Answers& answers) {
  const auto* fired = std::get_if<node::TimerFired>(&input);
  if (fired != nullptr && fired->timer == kAlterPartitionRetryTimer) {
    backing_off_ = false;
    return;
  }
  ControllerChannel::Answers received;
  channel_.step(input, context.env, context.out, received);
  for (ControllerChannel::Answer& one : received) handle(one, context, answers);
}

void AlterPartitionManager::handle(ControllerChannel::Answer& answer, const Context& context,
                                   Answers& answers) {
  SIM_CHECK(answer.response.has_value(), "an AlterPartition request is never given up");
  auto* response = std::get_if<AlterPartitionResponse>(&*answer.response);
  SIM_CHECK(response != nullptr, "AlterPartition is answered in kind");
  answered_ = true;
  if (response->error != ErrorCode::none) {
    backing_off_ = true;
    context.out.emplace_back(node::SetTimer{kAlterPartitionRetryTimer, context.now() + kRetryAfter});
    return;
  }
  std::vector<IsrChange> left;
  for (std::size_t i = 0; i < unsent_.size(); ++i) {
    const TopicPartition tp = unsent_[i].request.tp;
    const auto told = std::find_if(response->partitions.begin(), response->partitions.end(),
                                   [tp](const auto& partition) { return partition.tp == tp; });
    if (i < in_flight_ && told != response->partitions.end()) {
      answers.push_back(Answer{tp, std::move(unsent_[i]), std::move(*told)});
    } else {
      left.push_back(std::move(unsent_[i]));
    }
  }
  unsent_ = std::move(left);
}

}  // namespace sim::replica
