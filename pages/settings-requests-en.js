// The words of requests and chats in English. What is not here the schema says, or the name of the setting.
export default {
  "set.method": "Method",
  "set.method=by_hand": "By hand: nothing is made",
  "set.method=contact": "Contact",
  "set.method=contact_and_deal": "Deal and contact",
  "set.repeat_method": "Method for known clients, where it differs",
  "set.deal": "Make a deal as well, always",
  "set.first_time_only": "First-time only",
  "set.without_contacts": "Send chats without contact data",
  "set.lost_task": "Task about a lost chat",
  "set.lost_note": "Note about a lost chat",
  "set.transcript_to": "Where the correspondence is put",
  "set.repeat_assign_to": "Assign to, when repeated",
  "set.contact_template": "Template of contacts in the CRM",
};
