#include <string>
#include <vector>

#include "base/check.h"
#include "protocol/topic_settings.h"
#include "scenario/property_table.h"

// Topic properties, and those of brokers that stand for them: rows made of the table of settings.
namespace sim::scenario::rows {

namespace {

PropertyType type_of(const TopicSetting& setting) {
  switch (setting.type) {
    case SettingType::boolean: return boolean;
    case SettingType::int32: return int32;
    case SettingType::int64: return int64;
    case SettingType::decimal: return decimal;
    case SettingType::text: return text;
    case SettingType::list: return list;
  }
  SIM_CHECK(false, "every type of a setting is a type of a property");
}

Property row_of(const TopicSetting& setting) {
  Property property{.name = setting.name,
                    .components = kTopic,
                    .type = type_of(setting),
                    .fallback = setting.fallback,
                    .meaning = setting.meaning};
  property.status = setting.is_modelled() ? Status::modelled : Status::accepted;
  property.range = Range{setting.least, setting.most};
  property.words = setting.words;
  property.setting = &setting;
  return property;
}

// Its own range is the setting's, in its own unit: hours and minutes count as int.
Property row_of(const TopicSetting& setting, const BrokerSynonym& synonym) {
  Property property = row_of(setting);
  property.name = synonym.name;
  property.components = kServer;
  if (synonym.fallback != "=") property.fallback = synonym.fallback;
  if (!synonym.meaning.empty()) property.meaning = synonym.meaning;
  property.setting_factor = synonym.factor;
  if (synonym.factor == 1) return property;
  property.type = int32;
  property.range = setting.least < 0 ? any() : from((setting.least + synonym.factor - 1) / synonym.factor);
  return property;
}

std::vector<Property> make_topic_rows() {
  std::vector<Property> rows;
  for (const TopicSetting& setting : topic_settings()) rows.push_back(row_of(setting));
  rows.push_back(removed("message.format.version", kTopic, "record batches have format v2 only"));
  rows.push_back(removed("message.timestamp.difference.max.ms", kTopic,
                         "see message.timestamp.before.max.ms and message.timestamp.after.max.ms"));
  rows.push_back(
      removed("message.downconversion.enable", kTopic, "records are no longer converted to old formats"));
  return rows;
}

std::vector<Property> make_synonym_rows() {
  std::vector<Property> rows;
  for (const TopicSetting& setting : topic_settings()) {
    for (const BrokerSynonym& synonym : setting.synonyms) {
      if (!synonym.only_stands_in) rows.push_back(row_of(setting, synonym));
    }
  }
  return rows;
}

}  // namespace

std::span<const Property> topic_rows() {
  static const std::vector<Property> rows = make_topic_rows();
  return rows;
}

std::span<const Property> synonym_rows() {
  static const std::vector<Property> rows = make_synonym_rows();
  return rows;
}

}  // namespace sim::scenario::rows
