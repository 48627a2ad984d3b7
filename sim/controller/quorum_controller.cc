#include "controller/quorum_controller.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"

namespace sim::controller {
namespace {

constexpr node::TimerId kSessionTimer{0};
constexpr node::TimerId kFetchTimer{1};
constexpr node::TimerId kBalanceTimer{2};
constexpr node::TimerId kUncleanTimer{3};

constexpr std::size_t kMaxRecordsPerBatch = 10'000;             // QuorumController.MAX_RECORDS_PER_BATCH
constexpr std::int32_t kProducerIdBlock = 1'000;                // ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE
constexpr Duration kNextSweep = std::chrono::milliseconds(10);  // when a run left something to do

// What a controller is never sent: requests of clients, and answers, since it asks nobody.
template <class M, class... Ms>
inline constexpr bool is_one_of = (std::is_same_v<M, Ms> || ...);
template <class M>
concept NotForControllers =
    is_one_of<M, ApiVersionsResponse, MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse,
              FetchResponse, ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest,
              OffsetForLeaderEpochResponse, InitProducerIdRequest, InitProducerIdResponse,
              AllocateProducerIdsResponse, CreateTopicsResponse, FindCoordinatorRequest,
              FindCoordinatorResponse, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest,
              SyncGroupResponse, HeartbeatRequest, HeartbeatResponse, LeaveGroupRequest, LeaveGroupResponse,
              OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
              AlterPartitionResponse, BrokerRegistrationResponse, BrokerHeartbeatResponse, VoteRequest,
              VoteResponse, BeginQuorumEpochRequest, BeginQuorumEpochResponse, EndQuorumEpochRequest,
              EndQuorumEpochResponse, FetchSnapshotRequest, FetchSnapshotResponse, AddRaftVoterRequest,
              AddRaftVoterResponse, RemoveRaftVoterRequest, RemoveRaftVoterResponse, UpdateRaftVoterRequest,
              UpdateRaftVoterResponse, NoOpResponse>;

}  // namespace

std::unique_ptr<node::Node> boot_controller(const ControllerBoot& boot, const node::DurableImage& image) {
  const auto log = image.logs.find(kClusterMetadata);
  return std::make_unique<QuorumController>(boot, log == image.logs.end() ? nullptr : &log->second);
}

QuorumController::QuorumController(const ControllerBoot& boot, const log::LogImage* image)
    : self_(boot.self),
      id_(boot.id),
      config_(boot.config),
      voters_(boot.voters),
      bootstrap_(boot.bootstrap),
      log_(image),
      replication_(boot.config),
      cluster_(boot.config),
      session_alarm_{kSessionTimer},
      fetch_alarm_{kFetchTimer},
      balance_{kBalanceTimer},
      unclean_{kUncleanTimer} {
  SIM_CHECK(!voters_.empty(), "a quorum has voters");
}

void QuorumController::step(node::Input& input, node::Env env, node::Effects& out) {
  std::visit(Overloaded{
                 [&](const node::Started&) { activate(env, out); },
                 [&](const node::Received& received) { receive(received.envelope, env, out); },
                 [&](const node::TimerFired& fired) { timer_fired(fired.timer, env, out); },
                 [&](const node::Persisted& done) { persisted(done, env, out); },
                 [&](const node::Disconnected& lost) { disconnected(lost.channel); },
                 [](const node::Connected&) {},
                 [&](const node::StopRequested&) { out.emplace_back(node::Exit{}); },
             },
             input);
  settle(env, out);
}

void QuorumController::activate(node::Env env, node::Effects& out) {
  if (!is_active()) return;
  const bool first_start = log_.empty();
  for (const Batch& batch : log_.recovered()) replay(batch, env.now);
  replay(log_.begin_epoch(env, out), env.now);
  if (first_start) write(std::move(bootstrap_), env, out);
}

void QuorumController::receive(const Envelope& request, node::Env env, node::Effects& out) {
  std::visit(
      [&](const auto& message) {
        if constexpr (NotForControllers<std::decay_t<decltype(message)>>) {
          SIM_CHECK(false, "this message is never sent to a controller");
        } else {
          on(message, request, env, out);
        }
      },
      request.message);
}

void QuorumController::persisted(const node::Persisted& done, node::Env, node::Effects& out) {
  log_.persisted(done);
  const Offset committed = log_.high_watermark();
  for (; !created_.empty() && created_.front().offset < committed; created_.pop_front()) {
    const metadata::TopicImage* topic = image_.topic(created_.front().id);
    if (topic == nullptr) continue;  // removed again meanwhile
    const auto partitions = static_cast<std::int32_t>(topic->partitions.size());
    const auto replicas = static_cast<std::int16_t>(topic->partitions.front().replicas.size());
    node::report(out, observe::TopicCreated{topic->id, topic->name, partitions, replicas});
  }
  for (; !pending_.empty() && pending_.front().end <= committed; pending_.pop_front()) {
    PendingAnswer& one = pending_.front();
    out.emplace_back(node::Send{Envelope{one.channel, one.correlation, true, std::move(one.answer)}});
  }
  answer_fetches(parked_.take_all(), out);
}

void QuorumController::disconnected(const Channel& channel) {
  parked_.forget(channel);
  std::erase_if(pending_, [&channel](const PendingAnswer& one) { return one.channel == channel; });
}

// ---- Writing

void QuorumController::write(std::vector<MetadataRecord> records, node::Env env, node::Effects& out) {
  const auto append = [&](std::vector<MetadataRecord> part) {
    const Batch batch = log_.append(std::move(part), env, out);
    replay(batch, env.now);
    note_created_topics(batch);
  };
  while (records.size() > kMaxRecordsPerBatch) {
    const auto rest = records.begin() + kMaxRecordsPerBatch;
    std::vector<MetadataRecord> later(std::make_move_iterator(rest), std::make_move_iterator(records.end()));
    records.erase(rest, records.end());
    append(std::exchange(records, std::move(later)));
  }
  if (!records.empty()) append(std::move(records));
}

void QuorumController::replay(const Batch& batch, LocalTime now) {
  const auto* records = std::get_if<std::vector<MetadataRecord>>(&batch.data->records);
  if (records == nullptr) return image_.replay(batch);
  for (const MetadataRecord& record : *records) {
    const Offset offset = image_.end_offset();
    image_.replay(record);
    replication_.replayed(image_, record);
    cluster_.replayed(image_, record, offset, now);
  }
  SIM_CHECK(image_.end_offset() == batch.end_offset(), "the image holds what the log holds");
}

void QuorumController::note_created_topics(const Batch& batch) {
  Offset offset = batch.base_offset;
  for (const MetadataRecord& record : std::get<std::vector<MetadataRecord>>(batch.data->records)) {
    if (const auto* created = std::get_if<TopicRecord>(&record)) created_.push_back({offset, created->id});
    ++offset;
  }
}

void QuorumController::answer_when_committed(const Envelope& request, Message answer, node::Effects& out) {
  if (log_.next_offset() <= log_.high_watermark()) return node::reply(out, request, std::move(answer));
  pending_.push_back({log_.next_offset(), request.channel, request.correlation, std::move(answer)});
}

// ---- Deadlines

void QuorumController::Alarm::set(std::optional<LocalTime> deadline, node::Effects& out) {
  if (deadline == armed_for) return;
  armed_for = deadline;
  if (deadline) {
    out.emplace_back(node::SetTimer{timer, *deadline});
  } else {
    out.emplace_back(node::CancelTimer{timer});
  }
}

void QuorumController::Sweep::schedule(Duration interval, LocalTime now, node::Effects& out) {
  if (scheduled) return;
  scheduled = true;
  out.emplace_back(node::SetTimer{timer, now + (more_to_do ? kNextSweep : interval)});
}

void QuorumController::settle(node::Env env, node::Effects& out) {
  session_alarm_.set(cluster_.next_session_expiry(), out);
  fetch_alarm_.set(parked_.next_deadline(), out);
  if (config_.auto_leader_rebalance_enable && replication_.any_imbalanced()) {
    balance_.schedule(std::chrono::seconds(config_.leader_imbalance_check_interval_seconds), env.now, out);
  }
  if (replication_.any_leaderless()) {
    unclean_.schedule(from_millis(config_.unclean_leader_election_interval_ms), env.now, out);
  }
}

void QuorumController::timer_fired(node::TimerId timer, node::Env env, node::Effects& out) {
  if (timer == kSessionTimer) {
    session_alarm_.armed_for.reset();
    write(cluster_.fence_one_stale_broker(image_, replication_, env.now), env, out);
  } else if (timer == kFetchTimer) {
    fetch_alarm_.armed_for.reset();
    answer_fetches(parked_.take_expired(env.now), out);
  } else {
    const bool balances = timer == kBalanceTimer;
    Sweep& sweep = balances ? balance_ : unclean_;
    ReplicationControl::Records records =
        balances ? replication_.balance_leaders(image_) : replication_.elect_unclean_leaders(image_);
    sweep.scheduled = false;
    sweep.more_to_do = records.size() >= ReplicationControl::kMaxElections;
    write(std::move(records), env, out);
  }
}

// ---- Requests

void QuorumController::on(const ApiVersionsRequest&, const Envelope& from, node::Env, node::Effects& out) {
  node::reply(out, from, ApiVersionsResponse{});
}

void QuorumController::on(const CreateTopicsRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  if (!is_active()) {
    CreateTopicsResponse refusal;
    for (const auto& topic : request.topics)
      refusal.topics.push_back({topic.name, ErrorCode::not_controller});
    return node::reply(out, from, std::move(refusal));
  }
  auto decision = replication_.create_topics(image_, request, cluster_.usable_brokers(image_), env.rng);
  write(std::move(decision.records), env, out);
  answer_when_committed(from, std::move(decision.answer), out);
}

void QuorumController::on(const AllocateProducerIdsRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const ErrorCode error =
      is_active() ? ClusterControl::check_broker_epoch(image_, request.broker, request.broker_epoch)
                  : ErrorCode::not_controller;
  if (error != ErrorCode::none) return node::reply(out, from, AllocateProducerIdsResponse{error});
  const ProducerId first = image_.next_producer_id();
  const ProducerId next{first.value() + kProducerIdBlock};
  write({ProducerIdsRecord{request.broker, request.broker_epoch, next}}, env, out);
  answer_when_committed(from, AllocateProducerIdsResponse{ErrorCode::none, first, kProducerIdBlock}, out);
}

void QuorumController::on(const AlterPartitionRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  const ErrorCode error =
      is_active() ? ClusterControl::check_broker_epoch(image_, request.broker, request.broker_epoch)
                  : ErrorCode::not_controller;
  if (error != ErrorCode::none) return node::reply(out, from, AlterPartitionResponse{error, {}});
  auto decision = replication_.alter_partition(image_, request);
  write(std::move(decision.records), env, out);
  answer_when_committed(from, std::move(decision.answer), out);
}

void QuorumController::on(const BrokerRegistrationRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  if (!is_active()) return node::reply(out, from, BrokerRegistrationResponse{ErrorCode::not_controller});
  auto decision = cluster_.register_broker(image_, request, replication_, env.now);
  if (decision.answer.error != ErrorCode::none) return node::reply(out, from, decision.answer);
  write(std::move(decision.records), env, out);
  answer_when_committed(from, decision.answer, out);
}

void QuorumController::on(const BrokerHeartbeatRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  if (!is_active()) return node::reply(out, from, BrokerHeartbeatResponse{ErrorCode::not_controller});
  auto decision = cluster_.heartbeat(image_, request, replication_, env.now);
  if (decision.answer.error != ErrorCode::none) return node::reply(out, from, decision.answer);
  write(std::move(decision.records), env, out);
  answer_when_committed(from, decision.answer, out);
}

// ---- Observers

// Data comes only up to the high watermark (Kafka's leader sends uncommitted records too, which an observer
// keeps back until they are committed). A parked fetch is answered when the high watermark advances
// (KIP-1166).
void QuorumController::on(const FetchRequest& request, const Envelope& from, node::Env env,
                          node::Effects& out) {
  if (is_active() && !has_news_for(request) && request.max_wait_ms > 0) {
    return parked_.park(
        {from.channel, from.correlation, request, env.now + from_millis(request.max_wait_ms)});
  }
  node::reply(out, from, fetch_response(request));
}

bool QuorumController::has_news_for(const FetchRequest& request) const {
  return std::any_of(
      request.partitions.begin(), request.partitions.end(), [this](const FetchRequest::Partition& one) {
        const bool knows_less = one.high_watermark != kNoOffset && one.high_watermark < log_.high_watermark();
        return one.tp != kClusterMetadata || one.fetch_offset < log_.high_watermark() || knows_less;
      });
}

FetchResponse QuorumController::fetch_response(const FetchRequest& request) const {
  FetchResponse response;
  for (const FetchRequest::Partition& wanted : request.partitions) {
    FetchResponse::Partition& answer = response.partitions.emplace_back();
    answer.tp = wanted.tp;
    if (wanted.tp != kClusterMetadata) {
      answer.error = ErrorCode::unknown_topic_or_partition;
    } else if (!is_active()) {
      answer.error = ErrorCode::not_leader_or_follower;
      answer.current_leader.endpoint = voters_.front();
    } else {
      answer.high_watermark = log_.high_watermark();
      answer.last_stable_offset = log_.high_watermark();
      answer.log_start_offset = 0;
      answer.current_leader = {id_, log_.leader_epoch(), self_};
      answer.batches = log_.read(wanted.fetch_offset, wanted.max_bytes);
    }
  }
  return response;
}

void QuorumController::answer_fetches(const std::vector<ParkedFetches::Fetch>& fetches,
                                      node::Effects& out) const {
  for (const ParkedFetches::Fetch& fetch : fetches) {
    out.emplace_back(
        node::Send{Envelope{fetch.channel, fetch.correlation, true, fetch_response(fetch.request)}});
  }
}

}  // namespace sim::controller
