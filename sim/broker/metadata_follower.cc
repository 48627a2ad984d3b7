#include "broker/metadata_follower.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/overloaded.h"
#include "broker/timers.h"

namespace sim::broker {

namespace {

using node::NetworkClient;

constexpr std::int32_t kMaxWaitMs = 500;
constexpr Duration kRetryAfter = std::chrono::milliseconds(20);  // controller.quorum.retry.backoff.ms

node::NetworkClientConfig client_config() {
  node::NetworkClientConfig config;
  config.request_timeout = std::chrono::milliseconds(2000);  // controller.quorum.request.timeout.ms
  config.reconnect_backoff = config.reconnect_backoff_max = std::chrono::milliseconds(50);
  config.max_in_flight = 1;
  return config;
}

}  // namespace

MetadataFollower::MetadataFollower(ProcessId self, NodeId id, ProcessId controller)
    : client_(self, Lane::raft, client_config(), kMetadataNetworkTimer), id_(id), controller_(controller) {}

void MetadataFollower::start(node::Env env, node::Effects& out) {
  fetch(env, out);
}

bool MetadataFollower::owns(const node::Input& input) const {
  const auto* fired = std::get_if<node::TimerFired>(&input);
  return client_.owns(input) || (fired != nullptr && fired->timer == kMetadataTimer);
}

void MetadataFollower::fetch(node::Env env, node::Effects& out) {
  if (!client_.ready(controller_, env, out)) return;
  FetchRequest request;
  request.replica = id_;
  request.max_wait_ms = kMaxWaitMs;
  FetchRequest::Partition partition;
  partition.tp = kClusterMetadata;
  partition.fetch_offset = end_;
  partition.last_fetched_epoch = last_epoch_;
  partition.high_watermark = high_watermark_;
  request.partitions.push_back(partition);
  client_.send(controller_, std::move(request), env, out);
}

std::vector<Batch> MetadataFollower::step(node::Input& input, node::Env env, node::Effects& out) {
  std::vector<Batch> committed;
  if (!client_.owns(input)) {
    fetch(env, out);
    return committed;
  }
  NetworkClient::Events events;
  client_.step(input, env, out, events);
  for (NetworkClient::Event& event : events) {
    std::visit(Overloaded{
                   [&](NetworkClient::Response& response) {
                     committed = on(std::get<FetchResponse>(response.message), env, out);
                   },
                   [&](NetworkClient::Ready&) { fetch(env, out); },
                   [&](NetworkClient::MayRetry&) { fetch(env, out); },
                   [](NetworkClient::Failure&) {},      // Unavailable follows,
                   [](NetworkClient::Unavailable&) {},  // then MayRetry
               },
               event);
  }
  return committed;
}

std::vector<Batch> MetadataFollower::on(FetchResponse& response, node::Env env, node::Effects& out) {
  const bool failed = response.error != ErrorCode::none || response.partitions.empty() ||
                      response.partitions.front().error != ErrorCode::none;
  if (failed) {
    out.emplace_back(node::SetTimer{kMetadataTimer, env.now + kRetryAfter});
    return {};
  }
  FetchResponse::Partition& log = response.partitions.front();
  for (Batch& batch : log.batches) {
    end_ = batch.end_offset();
    last_epoch_ = batch.leader_epoch;
    uncommitted_.push_back(std::move(batch));
  }
  high_watermark_ = std::max(high_watermark_, std::min(log.high_watermark, end_));
  const auto first_above = std::find_if(uncommitted_.begin(), uncommitted_.end(), [this](const Batch& batch) {
    return batch.end_offset() > high_watermark_;
  });
  std::vector<Batch> committed(std::make_move_iterator(uncommitted_.begin()),
                               std::make_move_iterator(first_above));
  uncommitted_.erase(uncommitted_.begin(), first_above);
  fetch(env, out);
  return committed;
}

}  // namespace sim::broker
