// The words of deals that come back in English. What is not here the schema says, or the name of the setting.
export default {
  "DealSettings.on": "Receive deals",
  "set.good": "Successful stages",
  "set.bad": "Stages of refusal",
  "set.columns": "Additional columns",
  "set.model": "Conversion model",
  "set.poll_minutes": "Minutes between readings",
  "set.first_days": "Days of the first reading",
  "set.upload_to": "Pass on to",
};
