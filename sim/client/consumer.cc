#include "client/consumer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::client {

namespace {

constexpr node::TimerId kConsumerTimer{node::Part::client, 0};
constexpr node::TimerId kDataNetworkTimer{node::Part::client, 1};
constexpr node::TimerId kCoordinationNetworkTimer{node::Part::client, 2};

// Between the two lanes of a consumer.
bool is_of_data(const node::Input& input) {
  if (const auto* fired = std::get_if<node::TimerFired>(&input)) return fired->timer == kDataNetworkTimer;
  if (const auto* received = std::get_if<node::Received>(&input))
    return received->envelope.channel.lane == Lane::data;
  if (const auto* connected = std::get_if<node::Connected>(&input))
    return connected->channel.lane == Lane::data;
  return std::get<node::Disconnected>(input).channel.lane == Lane::data;
}

}  // namespace

Consumer::Consumer(ConsumerConfig config, ConsumerIdentity identity, ProcessId self,
                   std::vector<ProcessId> bootstrap)
    : config_(std::move(config)),
      identity_(identity),
      subscriptions_(config_.auto_offset_reset),
      metadata_(std::move(bootstrap), MetadataClient::config_of(config_, config_.allow_auto_create_topics)),
      data_(self, Lane::data, config_, kDataNetworkTimer),
      coordination_(self, Lane::coordinator, config_, kCoordinationNetworkTimer),
      coordinator_(config_) {}

ConsumerContext Consumer::context(node::Env env, node::Effects& out) {
  return ConsumerContext{env,       out,   config_,       identity_, subscriptions_,
                         metadata_, data_, coordination_, in_poll_,  coordinator_.commit_sync_under_way()};
}

void Consumer::subscribe(const std::vector<std::string>& topics, node::Env env, node::Effects& out) {
  metadata_.set_topics(topics);
  coordinator_.start(topics, env.now);
  ConsumerContext step = context(env, out);
  settle(step);
}

// ---- poll()

Consumer::Poll Consumer::poll(std::vector<PolledRecords>& into, node::Env env, node::Effects& out) {
  SIM_CHECK(!coordinator_.commit_sync_under_way() && close_ == Close::open,
            "the application does one thing at a time");
  in_poll_ = true;
  ConsumerContext step = context(env, out);
  into.clear();
  Poll result = Poll::waiting;
  for (bool again = true; again;) {
    const bool had_positions = subscriptions_.has_all_fetch_positions();
    result = poll_once(into, step);
    // A fetched error took a position away, or a request failed on the spot: no event to wait for.
    const bool lost_position = had_positions && !subscriptions_.has_all_fetch_positions();
    again = result == Poll::waiting && (handle_completions(step) || lost_position);
  }
  if (result != Poll::waiting) {
    in_poll_ = step.in_poll = false;
    poll_ends_.reset();
  }
  settle(step);
  return result;
}

Consumer::Poll Consumer::poll_once(std::vector<PolledRecords>& into, ConsumerContext& context) {
  const ConsumerCoordinator::PollOutcome group = coordinator_.poll(context);
  error_ = group.error;
  bool blocked = group.progress == ConsumerCoordinator::Progress::blocked;
  if (error_ == ConsumerError::none && group.progress == ConsumerCoordinator::Progress::done) {
    error_ = update_fetch_positions(blocked, context);
  }
  if (error_ != ConsumerError::none) return Poll::failed;
  if (blocked && may_block(context.now())) return Poll::waiting;
  if (!blocked) poll_ends_.reset();

  error_ = fetcher_.collect(into, context);
  if (error_ != ConsumerError::none) return Poll::failed;
  // Before it returns, the next data is sent for: it comes while the application is at work.
  offset_fetcher_.validate_positions_on_metadata_change(context);
  fetcher_.send_fetches(context);
  return into.empty() ? Poll::waiting : Poll::records;
}

// True while the poll timeout lasts. After it the buffered records are looked at, and the next poll() begins.
bool Consumer::may_block(LocalTime now) {
  if (poll_ends_ && now >= *poll_ends_) {
    poll_ends_ = now + kPollTimeout;
    return false;
  }
  if (!poll_ends_) poll_ends_ = now + kPollTimeout;
  return true;
}

ConsumerError Consumer::update_fetch_positions(bool& blocked, ConsumerContext& context) {
  const ConsumerError truncated = offset_fetcher_.validate_positions(context);
  if (truncated != ConsumerError::none || subscriptions_.has_all_fetch_positions()) return truncated;
  const ConsumerCoordinator::PollOutcome committed = coordinator_.init_with_committed_offsets(context);
  blocked = committed.progress == ConsumerCoordinator::Progress::blocked;
  if (blocked || committed.error != ConsumerError::none) return committed.error;
  if (!subscriptions_.reset_initializing_positions().empty()) return ConsumerError::no_offset_for_partition;
  offset_fetcher_.reset_positions(context);
  return ConsumerError::none;
}

// ---- Commits

void Consumer::commit_sync(node::Env env, node::Effects& out) {
  commit_sync(subscriptions_.all_consumed(), env, out);
}

void Consumer::commit_sync(ConsumerCoordinator::CommitOffsets offsets, node::Env env, node::Effects& out) {
  SIM_CHECK(!in_poll_ && !coordinator_.commit_sync_under_way(), "the application does one thing at a time");
  ConsumerContext step = context(env, out);
  coordinator_.commit_sync(std::move(offsets), from_millis(config_.default_api_timeout_ms), step);
  settle(step);
}

void Consumer::commit_async(node::Env env, node::Effects& out) {
  commit_async(subscriptions_.all_consumed(), env, out);
}

void Consumer::commit_async(ConsumerCoordinator::CommitOffsets offsets, node::Env env, node::Effects& out) {
  ConsumerContext step = context(env, out);
  coordinator_.commit_async(std::move(offsets), step);
  settle(step);
}

void Consumer::seek(TopicPartition tp, Offset offset, LeaderEpoch offset_epoch, node::Env env,
                    node::Effects& out) {
  if (!subscriptions_.is_assigned(tp)) return;
  const ConsumerContext step = context(env, out);
  subscriptions_.seek_unvalidated(tp, FetchPosition{offset, offset_epoch, step.current_leader(tp)});
}

// ---- Inputs

bool Consumer::step(node::Input& input, node::Env env, node::Effects& out) {
  if (close_ == Close::done) return false;
  ConsumerContext step = context(env, out);
  digest(input, step);
  settle(step);
  return in_poll_;
}

void Consumer::digest(node::Input& input, ConsumerContext& context) {
  if (const auto* fired = std::get_if<node::TimerFired>(&input);
      fired != nullptr && fired->timer == kConsumerTimer) {
    armed_for_ = LocalTime::max();
    return;
  }
  const bool data = is_of_data(input);
  ConsumerNetwork& network = data ? data_ : coordination_;
  node::NetworkClient::Events events = std::move(events_);  // its memory is used again
  network.client().step(input, context.env, context.out, events);
  for (node::NetworkClient::Event& event : events) {
    const auto* lost = std::get_if<node::NetworkClient::Unavailable>(&event);
    if (lost != nullptr && !data) coordinator_.on_unavailable(lost->server, context);
    if (data && metadata_.digest(event, context.env)) continue;
    network.digest(event, context.env, context.out);
  }
  events.clear();
  events_ = std::move(events);
}

bool Consumer::handle_completions(ConsumerContext& context) {
  bool any = false;
  while (data_.has_completions() || coordination_.has_completions()) {
    any = true;
    data_.take_completions(completions_);
    for (ConsumerNetwork::Completion& completion : completions_) {
      if (fetcher_.on_completion(completion, context)) continue;
      if (offset_fetcher_.on_completion(completion, context)) continue;
      coordinator_.on_data_completion(completion, context);
    }
    coordination_.take_completions(completions_);
    for (ConsumerNetwork::Completion& completion : completions_)
      coordinator_.on_completion(completion, context);
  }
  completions_.clear();
  return any;
}

// What goes on behind the application's back, until there is nothing left to do at this instant.
void Consumer::settle(ConsumerContext& context) {
  do {
    handle_completions(context);
    if (close_ != Close::open) progress_close(context);
    context.in_commit_sync = coordinator_.commit_sync_under_way();
    coordinator_.background(context);
  } while (data_.has_completions() || coordination_.has_completions());
  if (close_ == Close::done) return;
  metadata_.maybe_update(data_.client(), context.env, context.out);
  arm(context);
}

void Consumer::arm(ConsumerContext& context) {
  LocalTime next = std::min(coordinator_.next_wakeup(context), metadata_.next_update_at());
  if (in_poll_) {
    if (poll_ends_) next = std::min(next, *poll_ends_);
    if (!subscriptions_.has_all_fetch_positions()) {
      for (const SubscriptionState::Partition& partition : subscriptions_.partitions()) {
        if (partition.next_retry > context.now()) next = std::min(next, partition.next_retry);
      }
    }
  }
  if (close_ != Close::open) next = std::min(next, close_deadline_);
  if (next == LocalTime::max() || next >= armed_for_) return;  // what is armed comes first; it will arm again
  armed_for_ = next;
  context.out.emplace_back(node::SetTimer{kConsumerTimer, next});
}

// ---- close()

void Consumer::close(node::Env env, node::Effects& out) {
  if (close_ != Close::open) return;
  in_poll_ = false;
  ConsumerContext step = context(env, out);
  close_ = Close::committing;
  close_deadline_ = env.now + kCloseTimeout;
  if (config_.enable_auto_commit)
    coordinator_.commit_sync(subscriptions_.all_consumed(), kCloseTimeout, step);
  settle(step);
}

void Consumer::progress_close(ConsumerContext& context) {
  const bool out_of_time = context.now() >= close_deadline_;
  if (close_ == Close::committing) {
    if (coordinator_.commit_sync_under_way() && !out_of_time) return;
    coordinator_.take_commit_sync_result();
    coordinator_.leave(context);
    close_ = Close::leaving;
  }
  if (close_ == Close::leaving &&
      (coordination_.idle() || coordinator_.coordinator() == kNoProcess || out_of_time)) {
    fetcher_.close_sessions(context);
    close_ = Close::ending_sessions;
  }
  if (close_ == Close::ending_sessions && (data_.idle() || out_of_time)) {
    close_ = Close::done;
    data_.disconnect_all(context.env, context.out);
    coordination_.disconnect_all(context.env, context.out);
    context.out.emplace_back(node::CancelTimer{kConsumerTimer});
  }
}

}  // namespace sim::client
