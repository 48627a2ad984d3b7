#include "workload/service_member.h"

#include <cstddef>
#include <utility>

#include "client/consumer.h"
#include "workload/pooled_member.h"

namespace sim::workload {
namespace {

using client::CommitError;
using client::Consumer;
using client::PolledRecords;

constexpr node::TimerId kServiceTimer{node::Part::application,
                                      0};  // the start, then the end of each record's service

}  // namespace

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

class ServiceMember final : public node::Node {
 public:
  explicit ServiceMember(const ServiceMemberBoot& boot)
      : service_(boot.service),
        member_(boot.member),
        spec_(boot.spec),
        service_times_(boot.rng.child("service-time")),
        consumer_(consumer_config(boot), client::ConsumerIdentity{boot.service, boot.member}, boot.self,
                  boot.bootstrap) {}

  std::unique_ptr<node::Node> clone() const override { return std::make_unique<ServiceMember>(*this); }

  void step(node::Input& input, node::Env env, node::Effects& out) override {
    handle(input, env, out);
    if (stopping_ && (phase_ == Phase::before_start || consumer_.closed())) out.emplace_back(node::Exit{});
  }

 private:
  enum class Phase : std::uint8_t { before_start, polling, serving, committing, closing };
  // What the application does next; `wait` ends the step.
  enum class Next : std::uint8_t { wait, poll, serve };

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
    const bool call_poll = consumer_.step(input, env, out);
    if (call_poll) return work(Next::poll, env, out);
    if (phase_ == Phase::committing) work(commit_answered(env, out), env, out);
  }

  void start_later(node::Env env, node::Effects& out) {
    if (spec_.start_at <= env.now.time_since_epoch()) return start(env, out);
    out.emplace_back(node::SetTimer{kServiceTimer, LocalTime{spec_.start_at}});
  }

  void start(node::Env env, node::Effects& out) {
    phase_ = Phase::polling;
    consumer_.subscribe({spec_.topic}, env, out);
    work(Next::poll, env, out);
  }

  void served(node::Env env, node::Effects& out) { work(done(env, out), env, out); }

  // The application's loop, from one wait to the next.
  void work(Next next, node::Env env, node::Effects& out) {
    while (next != Next::wait) next = next == Next::poll ? poll(env, out) : serve(env, out);
  }

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
    return spec_.commit == CommitMode::before ? commit_all(env, out) : Next::serve;
  }

  // Takes up the record in hand.
  Next serve(node::Env env, node::Effects& out) {
    if (range_ == polled_.size())
      return spec_.commit == CommitMode::after_batch ? commit_all(env, out) : Next::poll;
    phase_ = Phase::serving;
    const PolledRecords& range = polled_[range_];
    node::report(out, observe::ProcessingStarted{service_, member_, range.tp, offset(), record()});
    const Duration service_time = scaled(Duration{spec_.service_time.sample(service_times_)}, env.cpu_factor);
    if (service_time <= Duration{0}) return done(env, out);
    out.emplace_back(node::SetTimer{kServiceTimer, env.now + service_time});
    return Next::wait;
  }

  Next done(node::Env env, node::Effects& out) {
    const TopicPartition tp = polled_[range_].tp;
    const LeaderEpoch leader_epoch = polled_[range_].leader_epoch;
    const Offset next = offset() + 1;
    node::report(out, observe::ProcessingDone{service_, member_, tp, offset(), record()});
    if (++index_ == polled_[range_].end && ++range_ < polled_.size()) index_ = polled_[range_].first;
    if (spec_.commit != CommitMode::after_each) return Next::serve;
    phase_ = Phase::committing;
    consumer_.commit_sync({OffsetCommitRequest::Partition{tp, next, leader_epoch}}, env, out);
    return commit_answered(env, out);
  }

  // After an exception that nobody catches, too: there is nothing left to do but to wait for the end.
  Next close(node::Env env, node::Effects& out) {
    phase_ = Phase::closing;
    consumer_.close(env, out);
    return Next::wait;
  }

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

  Offset offset() const {
    const PolledRecords& range = polled_[range_];
    return range.base_offset + range.batch->offset_delta(static_cast<std::size_t>(index_));
  }
  RecordId record() const {
    return polled_[range_].batch->application_records()[static_cast<std::size_t>(index_)].id;
  }

  observe::ServiceId service_;
  std::int32_t member_;
  ServiceSpec spec_;
  Rng service_times_;
  Consumer consumer_;
  Phase phase_ = Phase::before_start;
  bool stopping_ = false;
  std::vector<PolledRecords> polled_;
  std::size_t range_ = 0;   // of polled_: what is in hand, or comes next
  std::int32_t index_ = 0;  // in its batch
};

}  // namespace

std::unique_ptr<node::Node> boot_service_member(const ServiceMemberBoot& boot) {
  if (boot.spec.workers > 1) return boot_pooled_member(boot);
  return std::make_unique<ServiceMember>(boot);
}

}  // namespace sim::workload
