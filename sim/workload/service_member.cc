#include "workload/service_member.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/contains.h"
#include "client/consumer.h"
#include "client/producer.h"
#include "workload/order_key.h"
#include "workload/pooled_member.h"

namespace sim::workload {
namespace {

using client::CommitError;
using client::Consumer;
using client::PolledRecords;
using client::Producer;
using client::ProducerTransactionState;

constexpr node::TimerId kServiceTimer{node::Part::application,
                                      0};  // the start, then the end of each record's service

constexpr std::uint16_t kFirstProducerTimer = 3;  // those before it are the consumer's

}  // namespace

// A member of its own name and, with static membership, of its own instance id.
client::ConsumerConfig consumer_config(const ServiceMemberBoot& boot) {
  client::ConsumerConfig config = boot.spec.consumer;
  config.enable_auto_commit = boot.spec.commit == CommitMode::auto_commit;
  if (config.client_id.empty()) {
    config.client_id.append("consumer-")
        .append(config.group_id)
        .append("-")
        .append(std::to_string(boot.member + 1));
  }
  if (!config.group_instance_id.empty())
    config.group_instance_id.append("-").append(std::to_string(boot.member));
  return config;
}

namespace {

// With a transactional.id of its own, for good or for this start.
client::ProducerConfig producer_config(const OnwardSpec& onward, std::int32_t member, node::Env env) {
  client::ProducerConfig config = onward.producer;
  if (config.transactional_id.empty()) return config;
  config.transactional_id.append("-").append(std::to_string(member));
  if (onward.id_per_start) config.transactional_id.append("-").append(std::to_string(nanos(env.now)));
  return config;
}

class ServiceMember final : public node::Node {
 public:
  explicit ServiceMember(const ServiceMemberBoot& boot)
      : self_(boot.self),
        service_(boot.service),
        member_(boot.member),
        spec_(boot.spec),
        bootstrap_(boot.bootstrap),
        service_times_(boot.rng.child("service-time")),
        sizes_(boot.rng.child("sizes")),
        aborts_(boot.rng.child("aborts")),
        consumer_(consumer_config(boot), client::ConsumerIdentity{boot.service, boot.member}, boot.self,
                  boot.bootstrap) {}

  std::unique_ptr<node::Node> clone() const override { return std::make_unique<ServiceMember>(*this); }

  void step(node::Input& input, node::Env env, node::Effects& out) override {
    handle(input, env, out);
    if (producer_) {
      do {
        producer_->poll(env, out, events_);
      } while (take_events(env, out));
    }
    if (stopping_ && is_closed()) out.emplace_back(node::Exit{});
  }

 private:
  enum class Phase : std::uint8_t {
    before_start,
    initializing,  // initTransactions()
    polling,
    serving,
    sending,     // a send() is blocked
    flushing,    // until the fate of all that was sent is known
    committing,  // offsets, by the consumer
    in_call,     // sendOffsetsToTransaction(), commitTransaction() or abortTransaction()
    closing,
  };
  // What the application does next; `wait` ends the step.
  enum class Next : std::uint8_t { wait, poll, serve };

  bool is_transactional() const { return spec_.commit == CommitMode::transaction; }
  bool is_closed() const {
    return phase_ == Phase::before_start || (consumer_.closed() && (!producer_ || producer_->closed()));
  }

  // ---- Inputs

  void handle(node::Input& input, node::Env env, node::Effects& out) {
    if (std::holds_alternative<node::Started>(input)) return start_later(env, out);
    if (std::holds_alternative<node::StopRequested>(input)) {
      stopping_ = true;
      if (phase_ == Phase::polling) close(env, out);  // wakeup()
      return;
    }
    if (const auto* fired = std::get_if<node::TimerFired>(&input);
        fired != nullptr && fired->timer == kServiceTimer) {
      return phase_ == Phase::before_start ? start(env, out) : served(env, out);
    }
    if (producer_ && is_of_producer(input)) return producer_->step(input, env, out, events_);
    const bool call_poll = consumer_.step(input, env, out);
    if (call_poll) return work(Next::poll, env, out);
    if (phase_ == Phase::committing) work(commit_answered(env, out), env, out);
  }

  static bool is_of_producer(const node::Input& input) {
    if (const auto* fired = std::get_if<node::TimerFired>(&input))
      return fired->timer.part == node::Part::client && fired->timer.number >= kFirstProducerTimer;
    if (const auto* received = std::get_if<node::Received>(&input))
      return received->envelope.channel.lane == Lane::producer;
    if (const auto* connected = std::get_if<node::Connected>(&input))
      return connected->channel.lane == Lane::producer;
    const auto* disconnected = std::get_if<node::Disconnected>(&input);
    return disconnected != nullptr && disconnected->channel.lane == Lane::producer;
  }

  // True: there may be more.
  bool take_events(node::Env env, node::Effects& out) {
    if (events_.empty()) return false;
    for (Producer::Event& event : std::exchange(events_, {})) {
      if (const auto* sent = std::get_if<Producer::SendReturned>(&event)) {
        if (phase_ == Phase::sending) work(after_send(sent->error, env, out), env, out);
      } else if (const auto* returned = std::get_if<Producer::TransactionReturned>(&event)) {
        work(call_returned(*returned, env, out), env, out);
      }
    }
    if (phase_ == Phase::flushing && producer_->outstanding() == 0) work(flushed(env, out), env, out);
    return true;
  }

  void start_later(node::Env env, node::Effects& out) {
    if (spec_.start_at <= env.now.time_since_epoch()) return start(env, out);
    out.emplace_back(node::SetTimer{kServiceTimer, LocalTime{spec_.start_at}});
  }

  void start(node::Env env, node::Effects& out) {
    if (spec_.produces) {
      producer_.emplace(self_, bootstrap_, producer_config(*spec_.produces, member_, env),
                        client::ProducerPlace{Lane::producer, kFirstProducerTimer});
      onward_topic_ = producer_->add_topic(spec_.produces->topic);
    }
    if (!is_transactional()) return subscribe(env, out);
    phase_ = Phase::initializing;
    producer_->init_transactions(env, events_);
  }

  void subscribe(node::Env env, node::Effects& out) {
    phase_ = Phase::polling;
    consumer_.subscribe({spec_.topic}, env, out);
    work(Next::poll, env, out);
  }

  void served(node::Env env, node::Effects& out) { work(done(env, out), env, out); }

  // The application's loop, from one wait to the next.
  void work(Next next, node::Env env, node::Effects& out) {
    while (next != Next::wait) next = next == Next::poll ? poll(env, out) : serve(env, out);
  }

  // ---- Orders, one after the other

  Next poll(node::Env env, node::Effects& out) {
    if (stopping_) return close(env, out);
    phase_ = Phase::polling;
    switch (consumer_.poll(polled_, env, out)) {
      case Consumer::Poll::waiting: return Next::wait;
      case Consumer::Poll::failed: return close(env, out);
      case Consumer::Poll::records: break;
    }
    range_ = 0;
    index_ = polled_.front().first;
    if (is_transactional() && producer_->begin_transaction(out) != ErrorCode::none) return close(env, out);
    return spec_.commit == CommitMode::before ? commit_all(env, out) : Next::serve;
  }

  // Takes up the record in hand.
  Next serve(node::Env env, node::Effects& out) {
    if (range_ == polled_.size()) return batch_done(env, out);
    phase_ = Phase::serving;
    const PolledRecords& range = polled_[range_];
    node::report(out, observe::ProcessingStarted{service_, member_, range.tp, offset(), record().id});
    const Duration service_time = scaled(Duration{spec_.service_time.sample(service_times_)}, env.cpu_factor);
    if (service_time <= Duration{0}) return done(env, out);
    out.emplace_back(node::SetTimer{kServiceTimer, env.now + service_time});
    return Next::wait;
  }

  Next done(node::Env env, node::Effects& out) {
    node::report(out, observe::ProcessingDone{service_, member_, polled_[range_].tp, offset(), record().id});
    return producer_ ? send_on(env, out) : handled(env, out);
  }

  // The order in hand is behind us.
  Next handled(node::Env env, node::Effects& out) {
    if (spec_.commit == CommitMode::after_each && producer_ && producer_->outstanding() > 0) {
      phase_ = Phase::flushing;
      return Next::wait;
    }
    const OffsetCommitRequest::Partition next{polled_[range_].tp, offset() + 1, polled_[range_].leader_epoch};
    if (++index_ == polled_[range_].end && ++range_ < polled_.size()) index_ = polled_[range_].first;
    if (spec_.commit != CommitMode::after_each) return Next::serve;
    phase_ = Phase::committing;
    consumer_.commit_sync({next}, env, out);
    return commit_answered(env, out);
  }

  Next batch_done(node::Env env, node::Effects& out) {
    switch (spec_.commit) {
      case CommitMode::transaction: return send_offsets(env, out);
      case CommitMode::after_batch: break;
      case CommitMode::auto_commit:
      case CommitMode::after_each:
      case CommitMode::before: return Next::poll;
    }
    if (!producer_ || producer_->outstanding() == 0) return commit_all(env, out);
    phase_ = Phase::flushing;
    return Next::wait;
  }

  // flush() has returned: what failed is lost to those downstream, as an application that looks at no future
  // has it.
  Next flushed(node::Env env, node::Effects& out) {
    return spec_.commit == CommitMode::after_each ? handled(env, out) : commit_all(env, out);
  }

  // After an exception that nobody catches, too: there is nothing left to do but to wait for the end.
  Next close(node::Env env, node::Effects& out) {
    phase_ = Phase::closing;
    consumer_.close(env, out);
    if (producer_) producer_->close();
    return Next::wait;
  }

  // ---- Offsets, by the consumer

  Next commit_all(node::Env env, node::Effects& out) {
    phase_ = Phase::committing;
    consumer_.commit_sync(env, out);
    return commit_answered(env, out);
  }

  Next commit_answered(node::Env env, node::Effects& out) {
    const std::optional<CommitError> result = consumer_.take_commit_result();
    if (!result) return Next::wait;
    switch (*result) {
      case CommitError::none: return spec_.commit == CommitMode::after_batch ? Next::poll : Next::serve;
      case CommitError::commit_failed:
        return Next::poll;  // left behind: what is left of the batch has another owner
      case CommitError::fenced: return close(env, out);
      case CommitError::rebalance_in_progress:
      case CommitError::timed_out:
      case CommitError::retriable:
      case CommitError::unexpected:
        // Still a member: the next commit covers this one. But what may be read again must not be handled now
        // if it is to be handled at most once.
        return spec_.commit == CommitMode::after_each ? Next::serve : Next::poll;
    }
    return Next::wait;
  }

  // ---- What is sent on

  Next send_on(node::Env env, node::Effects& out) {
    const Record& order = record();
    const OnwardSpec& onward = *spec_.produces;
    const RecordId derived = at_hop(order.id, onward.hop);
    node::report(out, observe::RecordDerived{service_, member_, order.id, derived});
    const std::int64_t bytes = onward.record_bytes.sample(sizes_);
    client::ProducerRecord sent{
        derived, std::nullopt, static_cast<std::int32_t>(std::clamp<std::int64_t>(bytes, 0, kMostValueBytes)),
        order.key};
    const OrderKey key(order.key, onward.recorded_keys.get());
    if (order.key >= 0) sent.key = key.view();
    switch (producer_->send(onward_topic_, sent, env, out)) {
      case Producer::SendResult::accepted: return handled(env, out);
      case Producer::SendResult::failed: return after_send(ErrorCode::unknown_server_error, env, out);
      case Producer::SendResult::blocked_on_metadata:
      case Producer::SendResult::blocked_on_memory: break;
    }
    phase_ = Phase::sending;
    return Next::wait;
  }

  Next after_send(ErrorCode error, node::Env env, node::Effects& out) {
    if (error == ErrorCode::none || !is_transactional()) return handled(env, out);
    return give_up_transaction(env, out);
  }

  // ---- Transactions

  Next send_offsets(node::Env env, node::Effects& out) {
    phase_ = Phase::in_call;
    const OnwardSpec& onward = *spec_.produces;
    if (onward.aborts_millionths > 0 &&
        aborts_.bernoulli(static_cast<std::uint64_t>(onward.aborts_millionths), 1'000'000)) {
      return abort(env, out);
    }
    client::GroupMetadata group{spec_.consumer.group_id};
    if (onward.sends_group_metadata) {
      group.member_id = consumer_.member_id();
      group.generation = consumer_.generation();
      group.group_instance_id = spec_.consumer.group_instance_id.empty()
                                    ? std::string{}
                                    : spec_.consumer.group_instance_id + "-" + std::to_string(member_);
    }
    offsets_ = read_positions();
    for (const OffsetCommitRequest::Partition& offset : offsets_) {
      node::report(out, observe::CommitSent{service_, member_, offset.tp, offset.offset});
      const client::ProducerIdAndEpoch producer = producer_->producer_id();
      node::report(out, observe::OffsetsAddedToTransaction{service_, member_, producer.id, producer.epoch,
                                                           offset.tp, offset.offset});
    }
    producer_->send_offsets_to_transaction(offsets_, std::move(group), env, out, events_);
    return Next::wait;
  }

  // Behind the last record of the poll, for each partition.
  std::vector<OffsetCommitRequest::Partition> read_positions() const {
    std::vector<OffsetCommitRequest::Partition> positions;
    for (const PolledRecords& range : polled_) {
      const Offset last =
          range.base_offset + range.batch->offset_delta(static_cast<std::size_t>(range.end - 1));
      const auto of_it = [&](const auto& one) { return one.tp == range.tp; };
      const auto found = std::find_if(positions.begin(), positions.end(), of_it);
      if (found == positions.end()) {
        positions.push_back({range.tp, last + 1, range.leader_epoch});
      } else {
        found->offset = std::max(found->offset, last + 1);
        found->leader_epoch = range.leader_epoch;
      }
    }
    return positions;
  }

  Next abort(node::Env env, node::Effects& out) {
    phase_ = Phase::in_call;
    producer_->abort_transaction(env, out, events_);
    return Next::wait;
  }

  // After an error: to abort and go on, or to end.
  Next give_up_transaction(node::Env env, node::Effects& out) {
    return producer_->transaction_state() == ProducerTransactionState::fatal_error ? close(env, out)
                                                                                   : abort(env, out);
  }

  Next call_returned(const Producer::TransactionReturned& returned, node::Env env, node::Effects& out) {
    if (phase_ == Phase::closing) return Next::wait;
    const bool is_fatal = producer_->transaction_state() == ProducerTransactionState::fatal_error;
    const bool timed_out = returned.error == ErrorCode::request_timed_out && !is_fatal &&
                           producer_->transaction_state() != ProducerTransactionState::abortable_error;
    switch (returned.call) {
      case client::TransactionCall::none: return Next::wait;
      case client::TransactionCall::init:
        if (timed_out) {
          producer_->init_transactions(env, events_);
          return Next::wait;
        }
        if (returned.error != ErrorCode::none) return close(env, out);
        subscribe(env, out);
        return Next::wait;
      case client::TransactionCall::send_offsets:
        if (returned.error != ErrorCode::none) return give_up_transaction(env, out);
        producer_->commit_transaction(env, out, events_);
        return Next::wait;
      case client::TransactionCall::commit:
        if (timed_out) {  // nobody knows: the same call, until it is known
          producer_->commit_transaction(env, out, events_);
          return Next::wait;
        }
        if (returned.error != ErrorCode::none) return give_up_transaction(env, out);
        for (const OffsetCommitRequest::Partition& offset : offsets_) {
          node::report(out, observe::CommitAcknowledged{service_, member_, offset.tp, offset.offset});
        }
        return Next::poll;
      case client::TransactionCall::abort:
        if (timed_out) return abort(env, out);
        if (returned.error != ErrorCode::none) return close(env, out);
        rewind(env, out);
        return Next::poll;
    }
    return Next::wait;
  }

  // What was aborted is read again.
  void rewind(node::Env env, node::Effects& out) {
    std::vector<TopicPartition> sought;
    for (const PolledRecords& range : polled_) {
      if (contains(sought, range.tp)) continue;
      sought.push_back(range.tp);
      const Offset first =
          range.base_offset + range.batch->offset_delta(static_cast<std::size_t>(range.first));
      consumer_.seek(range.tp, first, kNoLeaderEpoch, env, out);
    }
  }

  Offset offset() const {
    const PolledRecords& range = polled_[range_];
    return range.base_offset + range.batch->offset_delta(static_cast<std::size_t>(index_));
  }
  const Record& record() const {
    return polled_[range_].batch->application_records()[static_cast<std::size_t>(index_)];
  }

  ProcessId self_;
  observe::ServiceId service_;
  std::int32_t member_;
  ServiceSpec spec_;
  std::vector<ProcessId> bootstrap_;
  Rng service_times_;
  Rng sizes_;   // of what is sent on
  Rng aborts_;  // of transactions, by the application
  Consumer consumer_;
  std::optional<Producer> producer_;
  Producer::TopicNumber onward_topic_ = 0;
  Producer::Events events_;  // of the step
  Phase phase_ = Phase::before_start;
  bool stopping_ = false;
  std::vector<PolledRecords> polled_;
  std::size_t range_ = 0;                                // of polled_: what is in hand, or comes next
  std::int32_t index_ = 0;                               // in its batch
  std::vector<OffsetCommitRequest::Partition> offsets_;  // given to the transaction
};

}  // namespace

std::unique_ptr<node::Node> boot_service_member(const ServiceMemberBoot& boot) {
  if (boot.spec.workers > 1) return boot_pooled_member(boot);
  return std::make_unique<ServiceMember>(boot);
}

}  // namespace sim::workload
