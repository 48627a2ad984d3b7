#include "client/fetcher.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::client {

// ---- Requests

Fetcher::Node& Fetcher::node_of(NodeId id) {
  const auto place = std::lower_bound(nodes_.begin(), nodes_.end(), id,
                                      [](const Node& node, NodeId wanted) { return node.id < wanted; });
  if (place != nodes_.end() && place->id == id) return *place;
  return *nodes_.insert(place, Node{id, {}, 0, false});
}

// The preferred read replica (KIP-392), while it is fresh and known; otherwise the leader.
NodeId Fetcher::select_read_replica(const SubscriptionState::Partition& partition, ConsumerContext& context) {
  const NodeId leader = partition.position.current_leader.leader;
  const NodeId preferred = partition.preferred_read_replica;
  if (preferred == kNoNode) return leader;
  if (context.now() > partition.preferred_until) {
    context.subscriptions.clear_preferred_read_replica(partition.tp);
    return leader;
  }
  if (is_online_replica(partition.tp, preferred, context)) return preferred;
  context.subscriptions.clear_preferred_read_replica(partition.tp);
  context.metadata.request_update();
  return leader;
}

// Cluster.nodeIfOnline
bool Fetcher::is_online_replica(TopicPartition tp, NodeId node, const ConsumerContext& context) {
  const MetadataClient::Topic* topic = context.metadata.find(tp.topic);
  if (topic == nullptr || !std::cmp_less(tp.partition, topic->partitions.size())) return false;
  const std::vector<NodeId>& replicas = topic->partitions[static_cast<std::size_t>(tp.partition)].replicas;
  return context.metadata.endpoint(node) != kNoProcess &&
         std::find(replicas.begin(), replicas.end(), node) != replicas.end();
}

void Fetcher::skip_nodes(ConsumerContext& context) {
  for (Node& node : nodes_) {
    const ProcessId endpoint = context.metadata.endpoint(node.id);
    node.skip =
        node.in_flight != 0 || endpoint == kNoProcess || context.data.is_unavailable(endpoint, context.now());
  }
  const auto skip_node_of = [&](const CompletedFetch& fetch) {
    const SubscriptionState::Partition* partition = context.subscriptions.find(fetch.data.tp);
    if (partition == nullptr || !partition->has_valid_position()) return;
    if (partition->position.current_leader.leader == kNoNode) return;
    node_of(select_read_replica(*partition, context)).skip = true;
  };
  if (next_in_line_) skip_node_of(*next_in_line_);
  for (const CompletedFetch& fetch : completed_) skip_node_of(fetch);
}

void Fetcher::send_fetches(ConsumerContext& context) {
  if (context.subscriptions.partitions().empty()) return;
  skip_nodes(context);
  context.subscriptions.for_each_in_round([&](const SubscriptionState::Partition& partition) {
    if (!partition.fetchable()) return;
    if (partition.position.current_leader.leader == kNoNode) return context.metadata.request_update();
    const NodeId id = select_read_replica(partition, context);
    const std::size_t known = nodes_.size();
    Node& node = node_of(id);
    if (nodes_.size() != known) {
      const ProcessId endpoint = context.metadata.endpoint(id);
      node.skip = endpoint == kNoProcess || context.data.is_unavailable(endpoint, context.now());
    }
    if (!node.skip)
      node.session.add(partition.tp, partition.position.offset,
                       partition.position.current_leader.leader_epoch);
  });
  for (Node& node : nodes_) {
    if (node.session.building()) send(node, context);
  }
}

void Fetcher::send(Node& node, ConsumerContext& context) {
  FetchRequest request;
  request.max_wait_ms = context.config.fetch_max_wait_ms;
  request.min_bytes = context.config.fetch_min_bytes;
  request.max_bytes = context.config.fetch_max_bytes;
  request.read_committed = context.config.isolation_level == IsolationLevel::read_committed;
  request.rack = context.config.client_rack;
  node.session.build(request, context.config.max_partition_fetch_bytes);
  node.in_flight =
      context.data.send(context.metadata.endpoint(node.id), std::move(request), context.env, context.out);
}

void Fetcher::close_sessions(ConsumerContext& context) {
  for (Node& node : nodes_) {
    const ProcessId endpoint = context.metadata.endpoint(node.id);
    FetchRequest request;
    if (endpoint == kNoProcess || !context.data.client().is_connected(endpoint) ||
        !node.session.build_close(request))
      continue;
    context.data.send(endpoint, std::move(request), context.env, context.out);
  }
  completed_.clear();
  next_in_line_.reset();
}

// ---- Answers

bool Fetcher::on_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context) {
  const auto node =
      std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& n) { return n.in_flight == completion.id; });
  if (node == nodes_.end()) return false;
  node->in_flight = 0;
  if (completion.response) {
    on_response(*node, std::get<FetchResponse>(*completion.response), context);
  } else {
    node->session.handle_error();
    for (const FetchSession::Partition& partition : node->session.partitions()) {
      context.subscriptions.clear_preferred_read_replica(partition.tp);
    }
  }
  return true;
}

void Fetcher::on_response(Node& node, FetchResponse& response, ConsumerContext& context) {
  if (!node.session.handle_response(response)) return;
  for (FetchResponse::Partition& data : response.partitions) {
    const FetchSession::Partition* asked = node.session.find(data.tp);
    SIM_CHECK(asked != nullptr, "a fetch is answered for partitions of its session");
    const bool moved =
        data.error == ErrorCode::not_leader_or_follower || data.error == ErrorCode::fenced_leader_epoch;
    if (moved && context.metadata.update_leader(data.tp, data.current_leader)) {
      context.subscriptions.maybe_validate_position(data.tp, context.current_leader(data.tp));
    }
    CompletedFetch completed;
    completed.broker = node.id;
    completed.next_fetch_offset = asked->fetch_offset;
    completed.data = std::move(data);
    std::stable_sort(completed.data.aborted_transactions.begin(), completed.data.aborted_transactions.end(),
                     [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
    completed_.push_back(std::move(completed));
  }
}

// ---- Handing out

ConsumerError Fetcher::collect(std::vector<PolledRecords>& into, ConsumerContext& context) {
  std::int32_t remaining = context.config.max_poll_records;
  std::deque<CompletedFetch> of_paused;  // kept for when they are resumed
  const ConsumerError error = collect(into, remaining, of_paused, context);
  for (CompletedFetch& fetch : of_paused) completed_.push_back(std::move(fetch));
  return error;
}

ConsumerError Fetcher::collect(std::vector<PolledRecords>& into, std::int32_t remaining,
                               std::deque<CompletedFetch>& of_paused, ConsumerContext& context) {
  while (remaining > 0) {
    if (next_in_line_ && context.subscriptions.is_paused(next_in_line_->data.tp)) {
      of_paused.push_back(std::move(*next_in_line_));
      next_in_line_.reset();
      continue;
    }
    if (next_in_line_) {
      remaining -= take(*next_in_line_, remaining, into, context);
      if (next_in_line_->next_batch < next_in_line_->data.batches.size()) continue;
      if (next_in_line_->records_read > 0) context.subscriptions.move_to_end(next_in_line_->data.tp);
      next_in_line_.reset();
      continue;
    }
    if (completed_.empty()) break;
    if (context.subscriptions.is_paused(completed_.front().data.tp)) {
      of_paused.push_back(std::move(completed_.front()));
      completed_.pop_front();
      continue;
    }
    ConsumerError error = ConsumerError::none;
    if (initialize(completed_.front(), context, error)) next_in_line_ = std::move(completed_.front());
    if (error == ConsumerError::none) {
      completed_.pop_front();
      continue;
    }
    if (!into.empty()) break;  // the records first; the error comes up again
    completed_.pop_front();
    return error;
  }
  return ConsumerError::none;
}

bool Fetcher::initialize(CompletedFetch& fetch, ConsumerContext& context, ConsumerError& error) {
  const TopicPartition tp = fetch.data.tp;
  const SubscriptionState::Partition* partition = context.subscriptions.find(tp);
  const bool valid = partition != nullptr && partition->has_valid_position();
  if (fetch.data.error != ErrorCode::none) {
    if (valid) error = on_error(fetch, context);
    context.subscriptions.move_to_end(tp);
    return false;
  }
  if (!valid || partition->position.offset != fetch.next_fetch_offset) return false;
  context.subscriptions.update_offsets(tp, fetch.data.high_watermark, fetch.data.log_start_offset,
                                       fetch.data.last_stable_offset);
  if (fetch.data.preferred_read_replica != kNoNode) {
    const LocalTime until = context.now() + from_millis(context.config.metadata_max_age_ms);
    context.subscriptions.update_preferred_read_replica(tp, fetch.data.preferred_read_replica, until);
  }
  return true;
}

// FetchCollector.handleInitializeErrors
ConsumerError Fetcher::on_error(const CompletedFetch& fetch, ConsumerContext& context) {
  const TopicPartition tp = fetch.data.tp;
  const auto request_metadata_update = [&] {
    context.metadata.request_update();
    context.subscriptions.clear_preferred_read_replica(tp);
  };
  switch (fetch.data.error) {
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::replica_not_available:
    case ErrorCode::kafka_storage_error:
    case ErrorCode::fenced_leader_epoch:
    case ErrorCode::offset_not_available:
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::unknown_topic_id:
    case ErrorCode::inconsistent_topic_id: request_metadata_update(); return ConsumerError::none;
    case ErrorCode::unknown_leader_epoch:  // the broker does not know yet: ask again
    case ErrorCode::unknown_server_error: return ConsumerError::none;
    case ErrorCode::offset_out_of_range: {
      if (context.subscriptions.clear_preferred_read_replica(tp))
        return ConsumerError::none;  // the leader will know
      if (context.subscriptions.find(tp)->position.offset != fetch.next_fetch_offset)
        return ConsumerError::none;
      if (context.subscriptions.reset_policy() == AutoOffsetReset::none)
        return ConsumerError::offset_out_of_range;
      context.subscriptions.request_reset(tp);
      return ConsumerError::none;
    }
    case ErrorCode::corrupt_message: return ConsumerError::corrupt_message;
    default: return ConsumerError::unexpected;
  }
}

std::int32_t Fetcher::take(CompletedFetch& fetch, std::int32_t at_most, std::vector<PolledRecords>& into,
                           ConsumerContext& context) {
  const SubscriptionState::Partition* partition = context.subscriptions.find(fetch.data.tp);
  const bool next =
      partition != nullptr && partition->fetchable() && partition->position.offset == fetch.next_fetch_offset;
  if (!next) {
    fetch.next_batch = fetch.data.batches.size();  // revoked or repositioned meanwhile
    return 0;
  }
  const Offset from = fetch.next_fetch_offset;
  const std::size_t first = into.size();
  const bool read_committed = context.config.isolation_level == IsolationLevel::read_committed;
  const std::int32_t count = read(fetch, at_most, read_committed, into);
  if (fetch.next_fetch_offset > from)
    context.subscriptions.advance(fetch.data.tp, fetch.next_fetch_offset, fetch.last_epoch);
  if (count > 0) report_polled(fetch, from, into.data() + first, into.data() + into.size(), context);
  return count;
}

// Records that lie side by side are told of at once; in a compacted log they need not.
void Fetcher::report_polled(const CompletedFetch& fetch, Offset from, const PolledRecords* first,
                            const PolledRecords* last, ConsumerContext& context) {
  const auto report = [&](Offset start, Offset end) {
    node::report(context.out, observe::RecordsPolled{context.identity.service, context.identity.member,
                                                     fetch.data.tp, start, end, fetch.broker});
  };
  Offset start = from;
  Offset end = from;
  for (const PolledRecords* range = first; range != last; ++range) {
    for (std::int32_t index = range->first; index < range->end; ++index) {
      const Offset offset = range->base_offset + range->batch->offset_delta(static_cast<std::size_t>(index));
      if (offset != end) {
        if (end > start) report(start, end);
        start = offset;
      }
      end = offset + 1;
      if (!range->batch->compacted) {
        end += range->end - index - 1;
        break;
      }
    }
  }
  report(start, end);
}

// Of what compaction has left of the batch, if it was compacted.
std::int32_t Fetcher::records_before(const Batch& batch, Offset offset) {
  const Offset delta = std::max<Offset>(0, offset - batch.base_offset);
  if (!batch.data->compacted) return static_cast<std::int32_t>(delta);
  const std::vector<std::int32_t>& deltas = batch.data->compacted->offset_deltas;
  return static_cast<std::int32_t>(std::lower_bound(deltas.begin(), deltas.end(), delta) - deltas.begin());
}

// Whether read_committed passes over it: its producer's transaction is aborted
// (CompletedFetch.isBatchAborted). To be asked once for each batch, in order.
bool Fetcher::is_aborted(CompletedFetch& fetch, const Batch& batch) {
  if (batch.data->producer_id == kNoProducerId) return false;
  std::vector<ProducerId>& aborted = fetch.aborted_producers;
  const std::vector<FetchResponse::AbortedTransaction>& named = fetch.data.aborted_transactions;
  while (fetch.next_aborted < named.size() && named[fetch.next_aborted].first_offset < batch.end_offset())
    aborted.push_back(named[fetch.next_aborted++].producer_id);
  const auto of_it = std::find(aborted.begin(), aborted.end(), batch.data->producer_id);
  if (of_it == aborted.end()) return false;
  const EndTransactionMarker* marker = batch.data->end_transaction_marker();
  if (marker != nullptr && !marker->committed) {
    std::erase(aborted, batch.data->producer_id);
    return false;
  }
  return batch.data->transactional && !batch.data->control;
}

// Batches begin at or before the offset asked for; control batches are passed over.
std::int32_t Fetcher::read(CompletedFetch& fetch, std::int32_t at_most, bool read_committed,
                           std::vector<PolledRecords>& into) {
  std::int32_t count = 0;
  while (fetch.next_batch < fetch.data.batches.size() && count < at_most) {
    Batch& batch = fetch.data.batches[fetch.next_batch];
    fetch.last_epoch = batch.leader_epoch;
    const bool is_begun = std::exchange(fetch.batch_begun, fetch.next_batch) == fetch.next_batch;
    const bool is_of_aborted = read_committed && !is_begun && is_aborted(fetch, batch);
    const bool is_passed_over = batch.data->control || is_of_aborted;
    const std::int32_t records =
        is_passed_over ? 0 : static_cast<std::int32_t>(batch.data->application_records().size());
    const std::int32_t skipped = records_before(batch, fetch.next_fetch_offset);
    const std::int32_t taken = std::min(at_most - count, std::max(0, records - skipped));
    const bool finished = skipped + taken >= records;
    fetch.next_fetch_offset =
        finished ? std::max(fetch.next_fetch_offset, batch.end_offset())
                 : batch.base_offset + batch.data->offset_delta(static_cast<std::size_t>(skipped + taken));
    if (taken > 0) {
      into.push_back(PolledRecords{fetch.data.tp, finished ? std::move(batch.data) : batch.data,
                                   batch.base_offset, batch.leader_epoch, skipped, skipped + taken});
    }
    count += taken;
    if (finished) ++fetch.next_batch;
  }
  fetch.records_read += count;
  return count;
}

}  // namespace sim::client
