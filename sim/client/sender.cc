#include "client/sender.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "node/backoff.h"

namespace sim::client {

using node::NetworkClient;

namespace {

node::NetworkClientConfig producer_network(const ProducerConfig& config) {
  node::NetworkClientConfig network = network_config(config);
  network.max_in_flight = config.max_in_flight_requests_per_connection;
  return network;
}

ErrorCode error_of(NetworkClient::FailureReason reason) {
  return reason == NetworkClient::FailureReason::timed_out ? ErrorCode::request_timed_out
                                                           : ErrorCode::network_exception;
}

// What stands for the answer when there is none.
ProduceResponse::Partition no_answer(TopicPartition tp, ErrorCode error) {
  ProduceResponse::Partition answer;
  answer.tp = tp;
  answer.error = error;
  return answer;
}

}  // namespace

Sender::Sender(ProcessId self, std::vector<ProcessId> bootstrap, const ProducerConfig& config, Lane lane,
               node::TimerId network_timer)
    : acks_(config.acks),
      retries_(config.retries),
      request_timeout_ms_(config.request_timeout_ms),
      retry_backoff_(from_millis(config.retry_backoff_ms)),
      retry_backoff_max_(from_millis(config.retry_backoff_max_ms)),
      idempotent_(config.enable_idempotence),
      strict_order_(config.max_in_flight_requests_per_connection == 1),
      network_(self, lane, producer_network(config), network_timer),
      metadata_(std::move(bootstrap), MetadataClient::config_of(config, true)),
      accumulator_(config) {
  if (config.transactional_id.empty()) return;
  transactions_.emplace(config);
  sequences_.make_transactional();
}

bool Sender::is_idle() const {
  if (accumulator_.has_undrained() || !requests_.empty()) return false;
  if (!transactions_ || transactions_->has_fatal_error()) return true;
  return !transactional_in_flight_ && !next_transactional_ && !transactions_->has_pending_requests() &&
         !transactions_->has_ongoing_transaction();
}

std::optional<ErrorCode> Sender::fatal_error() const {
  if (transactions_ && transactions_->has_fatal_error()) return transactions_->last_error();
  return fatal_error_;
}

void Sender::step(node::Input& input, node::Env env, node::Effects& out, std::vector<Completed>& completed) {
  NetworkClient::Events events = std::move(events_);  // its memory is used again
  network_.step(input, env, out, events);
  for (NetworkClient::Event& event : events) {
    if (metadata_.digest(event, env)) continue;
    if (transactions_ && take_transactional(event, env)) continue;
    if (auto* response = std::get_if<NetworkClient::Response>(&event)) {
      if (const auto request = take_request(response->correlation)) {
        const auto* produced = std::get_if<ProduceResponse>(&response->message);
        SIM_CHECK(produced != nullptr, "a produce request is answered in kind");
        on_response(*request, *produced, env, out, completed);
      } else if (const auto* id = std::get_if<InitProducerIdResponse>(&response->message)) {
        on_producer_id(*id, env.now);
      }
    } else if (const auto* failure = std::get_if<NetworkClient::Failure>(&event)) {
      if (const auto request = take_request(failure->correlation)) {
        for (const SentBatch& sent : request->batches) {
          answered(sent, no_answer(sent.tp, error_of(failure->reason)), env, out, completed);
        }
      } else if (id_request_ == failure->correlation) {
        id_request_.reset();
        id_retry_at_ = env.now + retry_backoff_;
      }
    }
  }
  events.clear();
  events_ = std::move(events);
}

void Sender::run(node::Env env, node::Effects& out, std::vector<Completed>& completed) {
  ready_.next_check = LocalTime::max();
  metadata_.maybe_update(network_, env, out);  // before all else: Kafka sends nothing while an update is due
  follow_metadata();
  if (transactions_) {
    run_transactional(env, out, completed);
    return metadata_.maybe_update(network_, env, out);
  }
  while (have_producer_id(env, out, completed) && send_ready_batches(env, out, completed)) {
  }
  metadata_.maybe_update(network_, env, out);
}

LocalTime Sender::next_run_at() const {
  const LocalTime metadata = metadata_.next_update_at();
  if (batches_wait_)
    return std::min(metadata, asleep_until_ == LocalTime::min() ? LocalTime::max() : asleep_until_);
  if (idempotent_ && !sequences_.producer().valid()) return std::min(metadata, next_id_attempt_);
  return std::min({metadata, ready_.next_check, accumulator_.next_expiry_at()});
}

void Sender::follow_metadata() {
  if (metadata_.version() == metadata_version_) return;
  metadata_version_ = metadata_.version();
  accumulator_.update_leaders(metadata_);
}

// ---- The producer id

bool Sender::have_producer_id(node::Env env, node::Effects& out, std::vector<Completed>& completed) {
  if (!idempotent_) return true;
  if (fatal_error_) {
    give_up_all(*fatal_error_, out, completed);
    return false;
  }
  const bool resolvable = sequences_.prepare(accumulator_.batches());
  SIM_CHECK(resolvable, "an idempotent producer closes every gap with another epoch");
  if (sequences_.producer().valid()) return true;
  next_id_attempt_ = LocalTime::max();
  if (id_request_) return false;
  if (env.now < id_retry_at_) {
    next_id_attempt_ = id_retry_at_;
    return false;
  }
  const ProcessId server = metadata_.least_loaded(network_, env);
  if (server != kNoProcess && network_.ready(server, env, out)) {
    id_request_ = network_.send(server, InitProducerIdRequest{}, env, out);
  }
  return false;
}

void Sender::on_producer_id(const InitProducerIdResponse& response, LocalTime now) {
  id_request_.reset();
  if (response.error == ErrorCode::none) {
    sequences_.set_producer({response.producer_id, response.producer_epoch});
  } else if (is_retriable(response.error)) {
    id_retry_at_ = now + retry_backoff_;
  } else {
    fatal_error_ = response.error;
  }
}

void Sender::give_up_all(ErrorCode error, node::Effects& out, std::vector<Completed>& completed) {
  for (const BatchRef ref : accumulator_.take_all()) {
    if (transactions_) {
      abort_batch(ref, error, out, completed);
    } else {
      fail(ref, error, false, out, completed);
    }
    if (!accumulator_.batches()[ref].on_wire) accumulator_.batches().release(ref);
  }
}

// ---- Transactions

// Sender.runOnce, again and again.
void Sender::run_transactional(node::Env env, node::Effects& out, std::vector<Completed>& completed) {
  do {
    batches_wait_ = !may_send_batches(env, out, completed);
  } while (!batches_wait_ && send_ready_batches(env, out, completed));
}

bool Sender::may_send_batches(node::Env env, node::Effects& out, std::vector<Completed>& completed) {
  if (env.now < asleep_until_) return false;
  asleep_until_ = LocalTime::min();
  if (!sequences_.prepare(accumulator_.batches())) transactions_->on_unresolved_sequences();
  if (transactions_->has_fatal_error()) {
    give_up_all(transactions_->last_error(), out, completed);
    next_transactional_.reset();
    transactional_in_flight_.reset();
    return false;
  }
  if (transactional_in_flight_) return false;
  if (closing_ && transactions_->has_ongoing_transaction() && !transactions_->is_completing() &&
      !accumulator_.has_undrained() && requests_.empty()) {
    transactions_->begin_abort(sequences_);
  }
  while (true) {
    accumulator_.set_completing(transactions_->is_completing());
    if (!next_transactional_) {
      if (transactions_->has_abortable_error()) {
        fail_undrained(transactions_->last_error(), out, completed);
      } else if (transactions_->is_aborting()) {
        fail_undrained(ErrorCode::transaction_abortable, out, completed);
      }
      next_transactional_ = transactions_->next_request(accumulator_.has_incomplete(), sequences_);
      has_slept_ = false;
      if (!next_transactional_) return true;
    }
    if (!send_transactional_request(env, out)) return false;
  }
}

// What was taken up. True: it has to be looked at anew, as something else comes first now.
bool Sender::send_transactional_request(node::Env env, node::Effects& out) {
  const auto type = next_transactional_->coordinator();
  const ProcessId server = type ? transactions_->coordinator(*type) : metadata_.least_loaded(network_, env);
  const auto sleep = [&](Duration length) { asleep_until_ = env.now + length; };
  if (server == kNoProcess || !network_.ready(server, env, out)) {
    // It will be Ready or Unavailable, or answer what is in flight.
    if (server != kNoProcess && (network_.is_preparing(server) || network_.is_connected(server)))
      return false;
    TransactionManager::Request request = *std::exchange(next_transactional_, std::nullopt);
    if (type) {
      transactions_->find_coordinator_and_retry(std::move(request));
      return true;
    }
    metadata_.request_update();
    transactions_->retry(std::move(request));
    sleep(retry_backoff_);
    return false;
  }
  if (next_transactional_->is_retry && !std::exchange(has_slept_, true)) {
    sleep(next_transactional_->retry_backoff);
    return false;
  }
  TransactionManager::Request request = *std::exchange(next_transactional_, std::nullopt);
  const CorrelationId correlation = network_.send(server, request.message(), env, out);
  transactional_in_flight_ = InFlightTransactional{correlation, server, std::move(request)};
  return false;
}

// True: it was of the transactional request under way.
bool Sender::take_transactional(const NetworkClient::Event& event, node::Env) {
  transactions_->see_version(network_.transaction_version());
  if (!transactional_in_flight_) return false;
  const InFlightTransactional& sent = *transactional_in_flight_;
  if (const auto* response = std::get_if<NetworkClient::Response>(&event)) {
    if (response->server != sent.server || response->correlation != sent.correlation) return false;
    TransactionManager::Request request = std::move(transactional_in_flight_->request);
    transactional_in_flight_.reset();
    transactions_->on_response(std::move(request), response->message, sequences_);
    return true;
  }
  const auto* failure = std::get_if<NetworkClient::Failure>(&event);
  if (failure == nullptr || failure->server != sent.server || failure->correlation != sent.correlation)
    return false;
  TransactionManager::Request request = std::move(transactional_in_flight_->request);
  transactional_in_flight_.reset();
  transactions_->find_coordinator_and_retry(std::move(request));
  return true;
}

// RecordAccumulator.abortUndrainedBatches: what has no sequence yet was never sent.
void Sender::fail_undrained(ErrorCode error, node::Effects& out, std::vector<Completed>& completed) {
  for (const BatchRef ref : accumulator_.take_undrained()) {
    abort_batch(ref, error, out, completed);
    accumulator_.batches().release(ref);
  }
}

// ---- Sending

// Sender.sendProducerData. True if a request was sent: there may be more to send.
bool Sender::send_ready_batches(node::Env env, node::Effects& out, std::vector<Completed>& completed) {
  accumulator_.check_ready(env.now, ready_);
  if (!ready_.unknown_leaders.empty()) {
    for (const auto topic : ready_.unknown_leaders)
      metadata_.add_topic(accumulator_.metadata_index(topic), env.now);
    metadata_.request_update();
  }
  std::vector<Request> requests;
  std::vector<BatchRef> drained;
  for (const ProcessId server : ready_.servers) {
    const bool available = network_.ready(server, env, out);
    accumulator_.note_availability(server, available, env.now);
    if (!available) continue;
    drained.clear();
    accumulator_.drain(server, env.now, sequences(), drained);
    if (drained.empty()) continue;
    Request& request = requests.emplace_back();
    request.server = server;
    request.batches.reserve(drained.size());
    for (const BatchRef ref : drained) {
      const ProducerBatch& batch = accumulator_.batches()[ref];
      request.batches.push_back(SentBatch{ref, accumulator_.tp(batch), batch.data});
      if (strict_order_) accumulator_.mute(batch);
    }
  }
  expire(env, out, completed);
  for (Request& request : requests) send_request(std::move(request), env, out, completed);
  return !requests.empty();
}

void Sender::send_request(Request request, node::Env env, node::Effects& out,
                          std::vector<Completed>& completed) {
  ProduceRequest produce;
  produce.acks = acks_;
  produce.timeout_ms = request_timeout_ms_;
  produce.partitions.reserve(request.batches.size());
  if (transactions_) {
    produce.transactional_id = transactions_->transactional_id();
    produce.transaction_support = transactions_->support();
  }
  for (const SentBatch& sent : request.batches) {
    produce.partitions.push_back(ProduceRequest::Partition{sent.tp, sent.data});
    const std::int32_t attempt = accumulator_.batches()[sent.ref].attempts;
    node::report(out, observe::BatchDrained{sent.tp, sent.data, attempt});
  }
  request.correlation = network_.send(request.server, std::move(produce), env, out, Duration{0}, acks_ != 0);
  if (acks_ != 0) {
    requests_.push_back(std::move(request));
    return;
  }
  for (const SentBatch& sent : request.batches) {
    answered(sent, no_answer(sent.tp, ErrorCode::none), env, out, completed);
  }
}

void Sender::expire(node::Env env, node::Effects& out, std::vector<Completed>& completed) {
  if (env.now < accumulator_.next_expiry_at()) return;
  std::vector<BatchRef> expired;
  accumulator_.expire(env.now, expired);
  for (const BatchRef ref : expired) {
    fail(ref, ErrorCode::request_timed_out, false, out, completed);
    const ProducerBatch& batch = accumulator_.batches()[ref];
    if (idempotent_ && batch.in_retry()) sequences_.mark_unresolved(batch);
    if (!batch.on_wire) accumulator_.batches().release(ref);  // else when its request ends
  }
}

// ---- Answers

std::optional<Sender::Request> Sender::take_request(CorrelationId correlation) {
  const auto it = std::find_if(requests_.begin(), requests_.end(), [correlation](const Request& request) {
    return request.correlation == correlation;
  });
  if (it == requests_.end()) return std::nullopt;
  Request request = std::move(*it);
  requests_.erase(it);
  return request;
}

void Sender::on_response(const Request& request, const ProduceResponse& response, node::Env env,
                         node::Effects& out, std::vector<Completed>& completed) {
  SIM_CHECK(request.batches.size() == response.partitions.size(), "each partition of a request is answered");
  for (std::size_t i = 0; i < response.partitions.size(); ++i) {
    const ProduceResponse::Partition& answer = response.partitions[i];
    const auto of_it = [&answer](const SentBatch& sent) { return sent.tp == answer.tp; };
    auto sent = request.batches.begin() + static_cast<std::ptrdiff_t>(i);  // where it is, as a rule
    if (!of_it(*sent)) sent = std::find_if(request.batches.begin(), request.batches.end(), of_it);
    SIM_CHECK(sent != request.batches.end(), "only partitions of the request are answered");
    answered(*sent, answer, env, out, completed);
  }
}

// Sender.completeBatch
void Sender::answered(const SentBatch& sent, const ProduceResponse::Partition& answer, node::Env env,
                      node::Effects& out, std::vector<Completed>& completed) {
  ProducerBatch& batch = accumulator_.batches()[sent.ref];
  const QueueIndex queue = batch.queue;
  const bool too_large =
      answer.error == ErrorCode::message_too_large && batch.record_count > 1 && !batch.done;
  const auto will_go_again = [&] {
    node::report(out, observe::BatchAcknowledged{sent.tp, sent.data, answer.error, kNoOffset, true});
  };
  bool again = false;
  if (answer.error == ErrorCode::none || answer.error == ErrorCode::duplicate_sequence_number) {
    succeed(sent, answer, out, completed);
  } else if (too_large) {
    will_go_again();
    if (idempotent_) sequences_.untrack(sent.ref, accumulator_.batches());
    accumulator_.split_and_reenqueue(sent.ref, sequences());
    accumulator_.no_longer_in_flight(sent.ref);
    accumulator_.free_memory(sent.ref);
  } else if (can_retry(batch, answer, env.now)) {
    again = true;
    will_go_again();
    const Duration backoff =
        node::exponential_backoff(retry_backoff_, retry_backoff_max_, batch.attempts, env.rng);
    accumulator_.no_longer_in_flight(sent.ref);
    accumulator_.reenqueue(sent.ref, env.now, backoff, sequences());
  } else {
    // After the last retry nobody knows whether its sequence was taken: it must not be given out again.
    fail(sent.ref, answer.error, batch.attempts < retries_, out, completed);
  }
  if (is_invalid_metadata(answer.error)) {
    metadata_.update_leader(sent.tp, answer.current_leader);
    metadata_.request_update();
  }
  if (strict_order_) accumulator_.unmute(queue);
  if (!again) accumulator_.batches().release(sent.ref);
}

bool Sender::can_retry(const ProducerBatch& batch, const ProduceResponse::Partition& answer, LocalTime now) {
  if (batch.done || batch.attempts >= retries_ || now >= accumulator_.expires_at(batch)) return false;
  return idempotent_ ? sequences_.can_retry(batch, answer, accumulator_.batches())
                     : is_retriable(answer.error);
}

void Sender::succeed(const SentBatch& sent, const ProduceResponse::Partition& answer, node::Effects& out,
                     std::vector<Completed>& completed) {
  if (idempotent_) sequences_.completed(sent.ref, answer.base_offset, accumulator_.batches());
  ProducerBatch& batch = accumulator_.batches()[sent.ref];
  if (std::exchange(batch.done, true)) return;  // the application was told that it failed
  accumulator_.no_longer_in_flight(sent.ref);
  accumulator_.free_memory(sent.ref);
  node::report(out,
               observe::BatchAcknowledged{sent.tp, sent.data, ErrorCode::none, answer.base_offset, false});
  completed.push_back(Completed{sent.tp, sent.data, ErrorCode::none, answer.base_offset});
}

void Sender::fail(BatchRef ref, ErrorCode error, bool adjust_sequences, node::Effects& out,
                  std::vector<Completed>& completed) {
  ProducerBatch& batch = accumulator_.batches()[ref];
  if (std::exchange(batch.done, true)) return;
  if (transactions_) transactions_->on_failure(error);
  if (idempotent_) sequences_.failed(ref, error, adjust_sequences, accumulator_.batches());
  fail_records(ref, error, out, completed);
}

void Sender::abort_batch(BatchRef ref, ErrorCode error, node::Effects& out,
                         std::vector<Completed>& completed) {
  if (!std::exchange(accumulator_.batches()[ref].done, true)) fail_records(ref, error, out, completed);
}

void Sender::fail_records(BatchRef ref, ErrorCode error, node::Effects& out,
                          std::vector<Completed>& completed) {
  ProducerBatch& batch = accumulator_.batches()[ref];
  accumulator_.no_longer_in_flight(ref);
  accumulator_.free_memory(ref);
  const TopicPartition tp = accumulator_.tp(batch);
  const bool was_sent = batch.data != nullptr;
  if (!was_sent) batch.close();
  if (was_sent) node::report(out, observe::BatchAcknowledged{tp, batch.data, error, kNoOffset, false});
  for (const Record& record : batch.data->application_records())
    node::report(out, observe::RecordFailed{record.id, error});
  completed.push_back(Completed{tp, batch.data, error});
}

}  // namespace sim::client
