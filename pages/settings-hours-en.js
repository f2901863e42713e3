// The words of schedules in English. What is not here the schema says, or the name of the setting.
export default {
  "set.schedules": "Schedules",
  "set.time_zone": "Time zone",
  "add.schedules": "Add a schedule",
};
