#include "replica/directory_assignments.h"

#include <algorithm>
#include <utility>

namespace sim::replica {

namespace {

constexpr node::TimerId kAssignmentsTimer{node::Part::directory_assignments, ControllerChannel::kTimers};
constexpr std::size_t kMaxAssignments = 2250;  // AssignReplicasToDirsRequest.MAX_ASSIGNMENTS_PER_REQUEST
constexpr std::int64_t kGatherMs = 100;
constexpr std::int64_t kMaxBackoffMs = 10'000;
constexpr Duration kRetryTimeout = std::chrono::seconds(60);

bool is_replica(TopicPartition tp, const Context& context) {
  const metadata::PartitionRegistration* partition = context.image.partition(tp);
  if (partition == nullptr) return false;
  const auto& replicas = partition->replicas;
  return std::find(replicas.begin(), replicas.end(), context.self) != replicas.end();
}

}  // namespace

DirectoryAssignments::DirectoryAssignments(ProcessId self)
    : channel_(self, Lane::directory_assignments, kRetryTimeout) {}

void DirectoryAssignments::set_controller(ProcessId controller, const Context& context) {
  ControllerChannel::Answers answers;
  channel_.set_controller(controller, context.env, context.out, answers);
  handle(answers, context);
}

void DirectoryAssignments::assign(TopicPartition tp, DirectoryId directory, const Context& context) {
  const auto under_way = in_flight_.find(tp);
  if (under_way != in_flight_.end() && under_way->second == directory) return;
  ready_[tp] = directory;
  schedule(context);
}

// ExponentialBackoff(100 ms, 2, 10 s, 0.02), for what failed altogether.
void DirectoryAssignments::schedule(const Context& context) {
  if (ready_.empty() || !in_flight_.empty() || std::exchange(scheduled_, true)) return;
  std::int64_t delay_ms = kGatherMs;
  if (failures_ > 0) {
    for (std::int32_t i = 0; i < failures_ && delay_ms < kMaxBackoffMs; ++i) delay_ms *= 2;
    const std::int64_t factor_thousandths = context.env.rng.between(980, 1020);
    delay_ms = std::min(kMaxBackoffMs, std::min(delay_ms, kMaxBackoffMs) * factor_thousandths / 1000);
  }
  context.out.emplace_back(node::SetTimer{kAssignmentsTimer, context.now() + from_millis(delay_ms)});
}

void DirectoryAssignments::send(const Context& context) {
  AssignReplicasToDirsRequest request;
  request.broker = context.self;
  request.broker_epoch = context.broker_epoch;
  while (!ready_.empty() && request.partitions.size() < kMaxAssignments) {
    const auto [tp, directory] = *ready_.begin();
    ready_.erase(ready_.begin());
    if (!is_replica(tp, context)) continue;
    request.partitions.push_back({tp, directory});
    in_flight_.emplace(tp, directory);
  }
  if (request.partitions.empty()) return;
  ControllerChannel::Answers answers;
  channel_.send(std::move(request), context.env, context.out, answers);
  handle(answers, context);
}

void DirectoryAssignments::step(node::Input& input, const Context& context) {
  const auto* fired = std::get_if<node::TimerFired>(&input);
  if (fired != nullptr && fired->timer == kAssignmentsTimer) {
    scheduled_ = false;
    return send(context);
  }
  ControllerChannel::Answers answers;
  channel_.step(input, context.env, context.out, answers);
  handle(answers, context);
}

void DirectoryAssignments::handle(const ControllerChannel::Answers& answers, const Context& context) {
  for (const ControllerChannel::Answer& answer : answers) {
    const auto* response =
        answer.response ? std::get_if<AssignReplicasToDirsResponse>(&*answer.response) : nullptr;
    if (response == nullptr || response->error != ErrorCode::none) {
      fail();
    } else {
      on(*response);
    }
  }
  schedule(context);
}

void DirectoryAssignments::on(const AssignReplicasToDirsResponse& response) {
  failures_ = 0;
  for (const AssignReplicasToDirsResponse::Partition& one : response.partitions) {
    if (one.error == ErrorCode::none) in_flight_.erase(one.tp);
  }
  ready_.merge(in_flight_);  // what has been told anew meanwhile stays as that
  in_flight_.clear();
}

void DirectoryAssignments::fail() {
  ++failures_;
  ready_.merge(in_flight_);
  in_flight_.clear();
}

}  // namespace sim::replica
