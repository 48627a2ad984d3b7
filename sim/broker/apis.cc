#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "broker/broker.h"
#include "protocol/admin_requests.h"
#include "server/coordinators.h"

// What clients may ask of any broker (KafkaApis): metadata, coordinators, producer ids; and the way to the
// parts that answer the rest.
namespace sim::broker {

void Broker::on(ApiVersionsRequest&, const Envelope& from, const Context& context) {
  const bool bumps_epoch = context.config.history.transaction_epoch_bump;
  node::reply(
      context.out, from,
      ApiVersionsResponse{ErrorCode::none, bumps_epoch ? kTransactionVersion2 : kTransactionVersion0});
}

void Broker::on(ProduceRequest& request, const Envelope& from, const Context& context) {
  replicas_.on(request, from, context);
}

void Broker::on(FetchRequest& request, const Envelope& from, const Context& context) {
  replicas_.on(request, from, context);
}

void Broker::on(ListOffsetsRequest& request, const Envelope& from, const Context& context) {
  node::reply(context.out, from, replicas_.on(request, context));
}

void Broker::on(OffsetForLeaderEpochRequest& request, const Envelope& from, const Context& context) {
  node::reply(context.out, from, replicas_.on(request, context));
}

// ---- Metadata

MetadataResponse::Topic Broker::describe(const metadata::TopicImage& topic) const {
  MetadataResponse::Topic result;
  result.name = topic.name;
  result.id = topic.id;
  result.internal = server::is_internal_topic(topic.name);
  result.compression_percent = topic.config.compression_percent;
  result.partitions.reserve(topic.partitions.size());
  for (const metadata::PartitionRegistration& partition : topic.partitions) {
    MetadataResponse::Partition& one = result.partitions.emplace_back();
    one.index = static_cast<std::int32_t>(result.partitions.size()) - 1;
    const bool has_leader = image_.broker(partition.leader) != nullptr;
    one.error = has_leader ? ErrorCode::none : ErrorCode::leader_not_available;
    one.leader = has_leader ? partition.leader : kNoNode;
    one.leader_epoch = partition.leader_epoch;
    one.replicas = partition.replicas;
    one.isr = partition.isr;
  }
  return result;
}

void Broker::on(MetadataRequest& request, const Envelope& from, const Context& context) {
  MetadataResponse response;
  std::vector<NodeId> alive;
  for (const auto& [id, broker] : image_.brokers()) {
    if (broker.fenced) continue;
    response.brokers.push_back({id, broker.endpoint, broker.rack});
    alive.push_back(id);
  }
  // Brokers do not tell who the controller is: a random one of theirs passes requests on.
  if (!alive.empty()) response.controller = alive[context.env.rng.below(alive.size())];

  if (request.all_topics) {
    for (const auto& [id, topic] : image_.topics()) response.topics.push_back(describe(*topic));
    return node::reply(context.out, from, std::move(response));
  }
  CreateTopicsRequest to_create;
  for (const std::string& name : request.topics) {
    if (const metadata::TopicImage* topic = image_.topic(name)) {
      response.topics.push_back(describe(*topic));
      continue;
    }
    MetadataResponse::Topic& unknown = response.topics.emplace_back();
    unknown.name = name;
    unknown.internal = server::is_internal_topic(name);
    unknown.error = is_valid_topic_name(name) ? ErrorCode::unknown_topic_or_partition
                                              : ErrorCode::invalid_topic_exception;
    const bool may_create = boot_.config.auto_create_topics_enable && request.allow_auto_topic_creation;
    if (may_create && unknown.error == ErrorCode::unknown_topic_or_partition) {
      auto_topics_.want(name, boot_.config, to_create);
    }
  }
  create_topics(std::move(to_create), context);
  node::reply(context.out, from, std::move(response));
}

// ---- Coordinators

void Broker::on(FindCoordinatorRequest& request, const Envelope& from, const Context& context) {
  FindCoordinatorResponse response;
  response.error = ErrorCode::coordinator_not_available;
  const server::CoordinatorKind& kind = server::coordinator_of(request.type);
  const metadata::TopicImage* topic = image_.topic(kind.topic);
  if (topic == nullptr) {
    CreateTopicsRequest to_create;
    auto_topics_.want(std::string(kind.topic), boot_.config, to_create);
    create_topics(std::move(to_create), context);
    return node::reply(context.out, from, response);
  }
  const std::int32_t index = server::coordinator_partition(request.key, boot_.config.*kind.partitions);
  if (std::cmp_less(index, topic->partitions.size())) {
    const NodeId leader = topic->partitions[static_cast<std::size_t>(index)].leader;
    if (const metadata::BrokerRegistration* broker = image_.broker(leader);
        broker != nullptr && !broker->fenced) {
      response = FindCoordinatorResponse{ErrorCode::none, leader, broker->endpoint};
    }
  }
  node::reply(context.out, from, response);
}

// ---- Producer ids

void Broker::on(InitProducerIdRequest& request, const Envelope& from, const Context& context) {
  InitProducerIdResponse response;
  if ((request.producer_id == kNoProducerId) != (request.producer_epoch == kNoProducerEpoch)) {
    response.error = ErrorCode::invalid_request;
    return node::reply(context.out, from, response);
  }
  const transaction::GenerateProducerId generate = producer_id_source(context);
  if (!request.transactional_id.empty())
    return transactions_.on(request, {from.channel, from.correlation}, generate, context);
  if (const auto id = generate()) {
    response.producer_id = *id;
    response.producer_epoch = ProducerEpoch{0};
  } else {
    response.error = ErrorCode::coordinator_load_in_progress;
  }
  node::reply(context.out, from, response);
}

// ---- To the controller

void Broker::create_topics(CreateTopicsRequest request, const Context& context) {
  if (!request.topics.empty()) forward(std::move(request), context);
}

void Broker::request_producer_ids(const Context& context) {
  forward(AllocateProducerIdsRequest{boot_.id, context.broker_epoch}, context);
}

// ForwardingManager: asked for, and answered, in the client's name.
void Broker::forward_for_client(AdminRequest request, const Envelope& from, const Context& context) {
  ControllerChannel::Answers given_up;
  const ReplyTo client{from.channel, from.correlation};
  const ControllerChannel::Ticket ticket =
      forwarding_.send(message_of(request), context.env, context.out, given_up);
  forwarded_.push_back(Forwarded{ticket, ForClient{client, std::move(request)}});
  forwarded(given_up, context);
}

template <class M>
void Broker::forward(M request, const Context& context) {
  ControllerChannel::Answers given_up;
  const ControllerChannel::Ticket ticket = forwarding_.send(request, context.env, context.out, given_up);
  forwarded_.push_back(Forwarded{ticket, std::move(request)});
  forwarded(given_up, context);
}

void Broker::forwarded(ControllerChannel::Answers& answers, const Context& context) {
  for (const ControllerChannel::Answer& answer : answers) {
    const auto it = std::find_if(forwarded_.begin(), forwarded_.end(),
                                 [&](const Forwarded& one) { return one.ticket == answer.ticket; });
    SIM_CHECK(it != forwarded_.end(), "what is answered was sent");
    std::visit(
        Overloaded{
            [&](const CreateTopicsRequest& request) { auto_topics_.done(request); },
            [&](const ForClient& asked) {
              Message response = answer.response
                                     ? *answer.response
                                     : error_response(asked.request, ErrorCode::request_timed_out);
              context.out.emplace_back(node::Send{
                  Envelope{asked.client.channel, asked.client.correlation, true, std::move(response)}, {}});
            },
            [&](const AllocateProducerIdsRequest&) {
              producer_ids_.answered(answer.response, context.now());
            },
        },
        it->request);
    forwarded_.erase(it);
  }
}

}  // namespace sim::broker
